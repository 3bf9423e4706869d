/**
 * The direct lane between nodes: frames over TLS 1.3, both ends proven by one signature over the
 * session's exported key (RFC 9266), so no certificate authority is involved and nobody can sit in
 * the middle. Each pair keeps one link; frames wait in a bounded queue while there is none, and the
 * oldest are dropped, because the protocols above re-send.
 *
 * @example
 *   const lane = await createTlsTransport({ signer, host: '0.0.0.0', port: 9400, clock: systemClock });
 *   lane.onFrame((from, frame) => replica.receive(from, frame));
 *   lane.setPeers([{ node: address, host: 'node2.example', port: 9400 }]);
 */
export { carryTo } from './carry.ts';
export { createTlsTransport } from './tls-transport.ts';
export { createLibp2pTransport } from './libp2p-transport.ts';
export type { Lane, LaneOptions } from './lane.ts';
export { networkFaults } from './faults.ts';
