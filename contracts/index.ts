/**
 * The door to the contracts for TypeScript: their ABIs and where they are deployed. Needs no compiler
 * and no chain client. `loadDeployment` reads what `scripts/deploy.ts` wrote and runs in Node only; a
 * browser gets the same record from its configuration.
 *
 * @example
 *   const { addresses, domain } = loadDeployment(31337);
 *   const vault = new ethers.Contract(addresses.StakeVault, abis.StakeVault, provider);
 */
export { contractNames, loadDeployment, parseDeployment, type ContractName, type Deployment, type DeployedContract } from './deployment.ts';
export * as abis from './generated/abis.ts';
