/**
 * What a node does for its clients and its peers, over the groups it is a member of: submission, verified reads,
 * payment, Proof-of-Query, evidence, MX. Only `node/main.ts` composes these with adapters.
 */
export { Audits } from './audits.ts';
export { Courts, type CourtOutcome } from './courts.ts';
export { Reporter, type EvidenceOutcome } from './evidence.ts';
export { Finishers } from './finishers.ts';
export { Freshness } from './freshness.ts';
export { Histories } from './histories.ts';
export { Meters, readVouchers } from './meters.ts';
export { createNodeMx } from './mx.ts';
export { peersOf, servePeer } from './peers.ts';
export { PoqLoops } from './poq-loops.ts';
export type { ReadParts } from './reads.ts';
export { createServices } from './services.ts';
export { sampleOf } from './status.ts';
export { openGroupStorage, type NodeGroupStorage } from './storage.ts';
