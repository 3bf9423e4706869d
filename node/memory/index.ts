/**
 * Every port of the host, in memory: the same behaviour as the real adapters (each passes the same
 * conformance suite), without disks, sockets or a chain. Tests and demonstrations stand on it.
 *
 * @example
 *   const clock = createManualClock();
 */
export { createManualClock, type ManualClock } from './clock.ts';
export { createMemoryDisk, type MemoryDisk } from './journal.ts';
export { createMemoryNetwork, type MemoryNetwork, type MemoryNetworkOptions } from './transport.ts';
export { createMemorySigner } from './signer.ts';
export { createMemoryChain, type MemoryChain, type MemoryChainChange } from './chain.ts';
