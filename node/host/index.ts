/**
 * Runs the pure cores of `protocol/` in a node: inputs in, effects out, one at a time. Knows ports and
 * protocol, never an adapter, so the same host stands on disks and sockets or on memory.
 *
 * @example
 *   const router = createRouter(transport, clock, serve);
 *   const groups = new Groups({ chain, signer, clock, requests: router.requests, openStorage, send: router.send, ... });
 *   router.onConsensus((from, group, epoch, message) => groups.deliver(from, group, epoch, message));
 */
export { commandsOf, proofPartsOf, readerFor, type Commands } from './commands.ts';
export { hostFaults } from './faults.ts';
export { snapshotReplyC, type PeerRequest } from './frames.ts';
export { startGroup, type GroupEvents, type GroupHost, type GroupParts, type HostStatus } from './group.ts';
export { Groups, type GroupState, type GroupStorage, type GroupsEvents, type GroupsParts, type Member } from './groups.ts';
export { encodeCertified, ledgerBlock } from './ledger-forms.ts';
export { createRouter, type Router } from './router.ts';
export { type RequestHandler, type Requests } from './requests.ts';
export { fetchSnapshot, serveBlock, serveSnapshot } from './snapshot.ts';
