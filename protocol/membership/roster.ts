import { sha256Hex } from '../crypto/index.ts';
import {
  bytesOf, compareHex, concatBytes, quorumOf, uintBytes, type Address, type Epoch, type GroupId, type Hash32,
} from '../types/index.ts';
import { membershipFaults } from './faults.ts';

/** Who serves a group in one epoch. The chain's registry is its only source. */
export interface Roster {
  readonly group: GroupId;
  readonly epoch: Epoch;
  /** Signer addresses, ascending, each once: the replica index is the place in this list. */
  readonly replicas: readonly Address[];
}

/** Throws MEMBERSHIP_BAD_ROSTER unless the addresses are strictly ascending. */
export function rosterOf(group: GroupId, epoch: Epoch, replicas: readonly Address[]): Roster {
  for (let i = 1; i < replicas.length; i++) {
    if (compareHex(replicas[i - 1] as Address, replicas[i] as Address) >= 0) throw membershipFaults.badRoster({ group, epoch, at: i });
  }
  if (replicas.length === 0) throw membershipFaults.badRoster({ group, epoch, at: 0 });
  return { group, epoch, replicas };
}

/** q = N - f signatures speak for the group (consensus §2.1). */
export function quorumOfRoster(roster: Roster): number {
  return quorumOf(roster.replicas.length);
}

/** Binds a checkpoint to the roster that signed it: SHA-256(group ‖ epoch(8) ‖ addresses ascending). */
export function configHashOf({ group, epoch, replicas }: Roster): Hash32 {
  return sha256Hex(concatBytes(bytesOf(group), uintBytes(epoch, 8), ...replicas.map((replica) => bytesOf(replica))));
}
