import type { Domain } from '../protocol/codec/index.ts';
import { defineFaults } from '../protocol/errors/index.ts';
import { addressFrom, type Address } from '../protocol/types/index.ts';

const faults = defineFaults('DEPLOYMENT', {
  missing: ['there is no deployment on record for this chain', 'run scripts/deploy.ts against it, or name the right chain id'],
  malformed: ['the deployment record is incomplete', 'run scripts/deploy.ts again'],
});

/** In the order of deployment. */
export const contractNames = [
  'PintToken', 'StakeVault', 'SystemParams', 'StakeVotes', 'PintGovernor', 'Authority',
  'NodeRegistry', 'ClusterRegistry', 'SlasherConsensus', 'SlasherAnswers', 'SlasherCertificates', 'PaymentChannels',
  'ClusterSplitter', 'AccessDeposits', 'CheckpointAnchor', 'QueryOracle', 'DataMarket', 'AvailabilityCourt',
  'JurorSeats', 'DisputeCourt',
] as const;
export type ContractName = (typeof contractNames)[number];

/** One file of `deployments/<chainId>/`. */
export interface DeployedContract {
  readonly name: ContractName;
  readonly address: Address;
  /** Constructor arguments; big integers as decimal strings. */
  readonly args: readonly unknown[];
  /** keccak of the code on chain. */
  readonly codeHash: string;
  readonly blockNumber: number;
}

export interface Deployment {
  readonly chainId: bigint;
  readonly addresses: Readonly<Record<ContractName, Address>>;
  /** Signature domain of everything nodes and clients sign. */
  readonly domain: Domain;
  /** First block with events of these contracts. */
  readonly fromBlock: number;
}

/** Builds the record from the files' contents; throws DEPLOYMENT_MALFORMED. */
export function parseDeployment(chainId: bigint, contracts: readonly DeployedContract[]): Deployment {
  const entries = contractNames.map((name) => {
    const found = contracts.find((contract) => contract.name === name);
    if (found === undefined) throw faults.malformed({ chainId, missing: name });
    return [name, addressFrom(found.address)] as const;
  });
  const addresses = Object.fromEntries(entries) as Record<ContractName, Address>;
  const fromBlock = Math.min(...contracts.map((contract) => contract.blockNumber));
  return { chainId, addresses, domain: { chainId, verifyingContract: addresses.StakeVault }, fromBlock };
}

/**
 * Reads `deployments/<chainId>/`. Node only.
 * @param folder where the chain's files are, when not in this repository
 * @throws DEPLOYMENT_MISSING, DEPLOYMENT_MALFORMED
 */
export function loadDeployment(chainId: bigint | number, folder?: string): Deployment {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs');
  const { join } = process.getBuiltinModule('node:path');
  const { fileURLToPath } = process.getBuiltinModule('node:url');
  const from = folder ?? fileURLToPath(new URL(`../deployments/${chainId}/`, import.meta.url));
  if (!existsSync(join(from, 'StakeVault.json'))) throw faults.missing({ chainId: String(chainId), folder: from });
  const files = contractNames.map((name) => join(from, `${name}.json`)).filter((file) => existsSync(file));
  return parseDeployment(BigInt(chainId), files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as DeployedContract));
}
