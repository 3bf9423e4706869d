import { compactSignature } from '../crypto/index.ts';
import { bytesOf, concatBytes, uintBytes } from '../types/index.ts';
import type { CertifiedCheckpoint, ReplicaSignature } from './certificate.ts';
import type { Roster } from './roster.ts';

/*
 * Packed forms that contracts read from calldata (contracts/libraries/{Certified,Quorum}.sol).
 */

/** size(1) ‖ roster(20 each) ‖ bitmap of the signers(8) ‖ compact signatures(64 each), lowest index first. */
export function packSigners({ replicas }: Roster, signatures: readonly ReplicaSignature[]): Uint8Array {
  const ascending = [...signatures].sort((a, b) => a.replica - b.replica);
  const bits = ascending.reduce((sum, { replica }) => sum | (1n << BigInt(replica)), 0n);
  return concatBytes(
    Uint8Array.of(replicas.length), ...replicas.map((replica) => bytesOf(replica)), uintBytes(bits, 8),
    ...ascending.map(({ signature }) => compactSignature(signature)),
  );
}

/** A certified checkpoint with its details and the roster that signed it: what `CheckpointAnchor.anchor` takes. */
export function packCheckpoint(roster: Roster, { checkpoint, detail, signatures }: CertifiedCheckpoint): Uint8Array {
  return concatBytes(
    uintBytes(checkpoint.epoch, 8), uintBytes(checkpoint.height, 8), bytesOf(checkpoint.stateRoot), uintBytes(detail.closeTs, 12),
    uintBytes(detail.rowCount, 8), bytesOf(detail.capsuleHead), bytesOf(detail.previous), bytesOf(detail.configHash),
    packSigners(roster, signatures),
  );
}
