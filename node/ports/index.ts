/**
 * The outside world as the host sees it: each port fits on one screen, ships a conformance suite
 * (`test/conformance`) and has at least two adapters. Only `node/main.ts` knows which adapter
 * stands behind which port.
 */
export type { Clock } from './clock.ts';
export type { Journal } from './journal.ts';
export type { AppliedBlock, AppliedEntry, ChainPosition, Ledger, SnapshotChunk, StateCommitment } from './ledger.ts';
export type { PeerAddress, Transport, TransportStats } from './transport.ts';
export { isBelow, newestOf, parseSlot, raises } from './slot.ts';
export { GUARDED_KINDS, type Signer, type SignPosition } from './signer.ts';
export type { ChainPort, ChallengeView, ChannelView, ClusterView, GroupView, NodeView, SubmittedTransaction, TermsView } from './chain.ts';
export type { NodeServices } from './services.ts';
