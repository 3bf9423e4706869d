/**
 * The chain as a node needs it: who is staked, which groups exist and who serves them, who pays. Blocks
 * near the head are read by hash and taken back when the chain reorganises; while the chain is down the
 * last known state stays and `staleMs` grows. Evidence is simulated, sent once per offence and replaced
 * at a higher fee until it is mined.
 *
 * @example
 *   const chain = await createChain({ rpcUrl, deployment: loadDeployment(31337), clock: systemClock, confirmations: 0 });
 *   chain.onChange(() => follow(chain.groupsOf(signer.address)));
 */
export { createChain, type ChainOptions } from './chain.ts';
export { chainFaults } from './faults.ts';
