import {
  digestOf, hash32, list, record, signature as signatureC, structHash, timestamp, u32, u64, verifyStruct, type Codec, type Domain, type StructValue,
} from '../codec/index.ts';
import { sha256Hex } from '../crypto/index.ts';
import { limits } from '../limits/index.ts';
import {
  bytesOf, concatBytes, uintBytes, type Address, type Digest, type Hash32, type ReplicaIndex, type Signature, type Timestamp,
} from '../types/index.ts';
import { membershipFaults } from './faults.ts';
import { configHashOf, quorumOfRoster, type Roster } from './roster.ts';

/** What a checkpoint says beyond its state root; its hash is the signed field `detail`. */
export interface CheckpointDetail {
  /** The state is that of all entries with a timestamp at or below it. */
  readonly closeTs: Timestamp;
  /** Leaves in the state tree. */
  readonly rowCount: bigint;
  /** Running hash over the applied entries (DCS: the head of the capsule). */
  readonly capsuleHead: Hash32;
  /** Hash of the previous checkpoint; zero for the first. */
  readonly previous: Hash32;
  readonly configHash: Hash32;
}

export interface ReplicaSignature {
  readonly replica: ReplicaIndex;
  readonly signature: Signature;
}

/** A checkpoint with the signatures of at least q replicas, ascending by replica index. */
export interface CertifiedCheckpoint {
  readonly checkpoint: StructValue<'Checkpoint'>;
  readonly detail: CheckpointDetail;
  readonly signatures: readonly ReplicaSignature[];
}

export const certifiedCheckpointC: Codec<CertifiedCheckpoint> = record({
  checkpoint: record({ group: hash32, epoch: u64, height: u64, stateRoot: hash32, detail: hash32 }),
  detail: record({ closeTs: timestamp, rowCount: u64, capsuleHead: hash32, previous: hash32, configHash: hash32 }),
  signatures: list(record({ replica: u32, signature: signatureC }), limits.replicasPerGroup),
});

/** SHA-256 of closeTs(12) ‖ rowCount(8) ‖ capsuleHead(32) ‖ previous(32) ‖ configHash(32). */
export function detailHashOf(detail: CheckpointDetail): Hash32 {
  return sha256Hex(concatBytes(
    uintBytes(detail.closeTs, 12), uintBytes(detail.rowCount, 8), bytesOf(detail.capsuleHead), bytesOf(detail.previous), bytesOf(detail.configHash),
  ));
}

/** What the next checkpoint names as `previous`. */
export function checkpointHashOf(checkpoint: StructValue<'Checkpoint'>): Hash32 {
  return sha256Hex(bytesOf(structHash('Checkpoint', checkpoint)));
}

/** What each replica signs. */
export function checkpointDigestOf(domain: Domain, checkpoint: StructValue<'Checkpoint'>): Digest {
  return digestOf(domain, 'Checkpoint', checkpoint);
}

/**
 * Returns when q replicas of this roster signed exactly this checkpoint and its details; throws
 * MEMBERSHIP_* otherwise. The roster must come from the chain: it is the root of all trust in reads.
 */
export function verifyCertificate(domain: Domain, roster: Roster, { checkpoint, detail, signatures }: CertifiedCheckpoint): void {
  const { group, epoch } = checkpoint;
  if (group !== roster.group) throw membershipFaults.otherGroup({ group, expected: roster.group });
  if (epoch !== roster.epoch) throw membershipFaults.otherEpoch({ epoch, expected: roster.epoch });
  if (detailHashOf(detail) !== checkpoint.detail) throw membershipFaults.wrongDetail({ group, height: checkpoint.height });
  if (detail.configHash !== configHashOf(roster)) throw membershipFaults.wrongConfig({ group, epoch });
  const needed = quorumOfRoster(roster);
  if (signatures.length < needed) throw membershipFaults.fewSignatures({ signatures: signatures.length, needed });
  let last = -1;
  for (const { replica, signature } of signatures) {
    const signer: Address | undefined = roster.replicas[replica];
    if (replica <= last || signer === undefined) throw membershipFaults.signerOrder({ replica, last });
    if (!verifyStruct(domain, 'Checkpoint', checkpoint, signature, signer)) throw membershipFaults.badSignature({ replica, signer });
    last = replica;
  }
}
