/**
 * MX at one node (Picolo §5.4.1, §6.3.2, §7): the cores of `protocol/mx`, `protocol/dictionary` and
 * `protocol/access` wired to local SQL, a clock, a signer and links. The same WebSocket endpoint serves data
 * consumers and other nodes; a node dials its neighbours, who need not share a replica group with it.
 *
 * @example
 *   const service = createMxService({ self, signer, neighbours, dictionary, answerLocally, depositLevel, clock, random: Math.random });
 *   await app.register(mxWebSocket(service));
 *   const dialler = dialNeighbours(service);
 *   const { parts, ending } = await service.ask({ query: 'SELECT lastname FROM users WHERE city = ?', params: ['Oslo'] });
 */
export { mxServiceFaults } from './faults.ts';
export type { LocalRows, MxNeighbour, MxNotice, MxOptions } from './options.ts';
export { createMxService, type MxService } from './service.ts';
export type { ClusterWish } from './clustering.ts';
export type { Question, Reply, Watching } from './asking.ts';
export { acceptLink, dialLink, type FrameSocket, type Link } from './links.ts';
export { dialNeighbours, mxWebSocket } from './websocket.ts';
