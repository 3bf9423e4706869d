/**
 * Agreement in one replica group (GBP, consensus.md; Picolo §5.2.1): a fast path that certifies single
 * commands without a leader, and a chain of blocks that orders what conflicts, sweeps up the rest,
 * closes timestamps, carries checkpoints and seals membership epochs. Pure and synchronous: time,
 * disk completions, signatures and messages are inputs; everything a replica wants is an effect.
 *
 * @example
 *   const replica = createReplica(config, self, undefined, application);
 *   for (const effect of step(replica, { kind: 'start', nowMs })) perform(effect);
 */
export { createReplica } from './create.ts';
export { step } from './step.ts';
export { restoreReplica, type Restored, type RestoreParts } from './restore.ts';
export { snapshotRecords } from './compact.ts';
export { statusOf, type ReplicaStatus } from './status.ts';
export type { Replica } from './state.ts';
export type { Application, PendingCommands } from './application.ts';
export { GENESIS, LAN_TIMING, configHash, faults, groupConfig, leaderOf, quorum, type Anchor, type GroupConfig, type Timing } from './config.ts';
export { batchRootOf, byTime, known, type Entry, type KnownEntry } from './entry.ts';
export { bitsOf, fits, hasBit, withBit, type Bitmap } from './bitmap.ts';
export {
  blockHashOf, effectsRootOf, entriesRootOf, headerBytes, outcomeLeaf,
  type Block, type BlockEntry, type BlockHeader, type BlockKind, type Outcome, type Qc, type QcVote,
} from './block.ts';
export {
  signed, slotOf, statementOf,
  type BatchCert, type BlockVoteMessage, type CertifiedBlock, type Message, type ProposalMessage, type SignedKind, type SignedMessage, type Statement,
  type TcVote, type Unsigned,
} from './message.ts';
export type { ClassicReceipt, FastReceipt, Receipt, Refusal, Reply } from './receipt.ts';
export type { Commitment, Input } from './input.ts';
export type { CommittedBlock, CommittedEntry, Effect, Milestone, Target } from './effect.ts';
export type { Durable } from './durable.ts';
export type { JournalRecord, VotedEntry } from './record.ts';
export type { Offence, OpenedVote, SignedValue } from './offence.ts';
export { encodeRecord, recordReader } from './record-codec.ts';
export {
  commandReader, decodeCertifiedBlock, decodeMessage, encodeCertifiedBlock, encodeMessage, remembering, transactionReader, type CommandReader,
} from './wire.ts';
export { decodeReceipt, encodeReceipt, receiptC } from './receipt-codec.ts';
export { readTailBlock, type TailBlock } from './tail.ts';
export { verifyMessage } from './verify.ts';
export { proofFrom } from './proof.ts';
export { verifyReceipt } from './verify-receipt.ts';
export { verifierOf, type Verifier } from './verifier.ts';
