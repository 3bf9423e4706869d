/**
 * Deploys the contracts to any JSON-RPC chain and writes `deployments/<chainId>/`.
 *
 *   node scripts/deploy.ts --rpc http://127.0.0.1:8545 [--parameters file] [--folder dir] [--key 0x…] [--fund 0xaddress,…] [--amount 1000000]
 *
 * Parameters are those of a file (default contracts/networks/local.json). What was deployed is read back before anything
 * is recorded. Without a key it uses the chain's own unlocked first account (a local development chain).
 * Addresses that contracts need of one another before they exist follow from the deployer's nonce.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  Contract, ContractFactory, getCreateAddress, JsonRpcProvider, keccak256, NonceManager, parseEther, Wallet, type ContractRunner, type Signer,
} from 'ethers';
import { abis, contractNames, parseDeployment, type ContractName, type DeployedContract, type Deployment } from '../contracts/index.ts';
import { addressFrom, type Address, type Hex } from '../protocol/types/index.ts';
import { compiledContract } from './compiled.ts';
import { checkDeployment } from './deploy-check.ts';
import { defaultParameters, planOf, readParameters, type DeployParameters } from './deploy-plan.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export type { DeployParameters };

export interface DeployOptions {
  readonly rpcUrl: string;
  /** Private key of the deployer; default: the chain's first unlocked account. */
  readonly deployer?: Hex;
  /** Accounts that get PINT, for test networks. */
  readonly fund?: { readonly accounts: readonly string[]; readonly amountWei: bigint };
  readonly parameters?: Partial<DeployParameters>;
  /** Folder for the records, default `deployments/<chainId>`; null writes nothing. */
  readonly folder?: string | null;
}

export interface DeployResult extends Deployment {
  readonly contracts: readonly DeployedContract[];
  readonly gasUsed: Readonly<Record<ContractName, bigint>>;
}

/** Deploys everything and, if asked, hands out PINT. The compiler runs first only where sources were changed. */
export async function deploy(options: DeployOptions): Promise<DeployResult> {
  const provider = new JsonRpcProvider(options.rpcUrl, undefined, { cacheTimeout: -1, pollingInterval: 50 });
  try {
    const base = options.deployer === undefined ? await provider.getSigner(0) : new Wallet(options.deployer, provider);
    const result = await deployWith(base, options.parameters);
    await readBack(base, { ...defaultParameters, ...options.parameters }, result);
    if (options.folder !== null) writeRecords(result, options.folder);
    if (options.fund !== undefined) await handOut(new NonceManager(base), result.addresses.PintToken, options.fund);
    return result;
  } finally {
    provider.destroy();
  }
}

/** The same with a connected signer; writes nothing. */
export async function deployWith(base: Signer, parameters: Partial<DeployParameters> = {}): Promise<DeployResult> {
  const signer = new NonceManager(base);
  const from = await base.getAddress();
  const first = await base.getNonce();
  const plan = planOf(from, { ...defaultParameters, ...parameters }, predict(from, first));
  const contracts: DeployedContract[] = [];
  const gasUsed = {} as Record<ContractName, bigint>;
  for (const name of contractNames) {
    const { contract, gas } = await deployOne(name, plan[name], signer);
    contracts.push(contract);
    gasUsed[name] = gas;
  }
  const { chainId } = await base.provider!.getNetwork();
  return { ...parseDeployment(chainId, contracts), contracts, gasUsed };
}

async function readBack(base: Signer, parameters: DeployParameters, { addresses }: DeployResult): Promise<void> {
  const wrong = await checkDeployment(base.provider!, await base.getAddress(), parameters, addresses, compiledContract);
  if (wrong.length > 0) throw new Error(`DEPLOY_NOT_AS_PLANNED: ${wrong.join('; ')}`);
}

function predict(from: string, firstNonce: number): Record<ContractName, string> {
  return Object.fromEntries(contractNames.map((name, i) => [name, getCreateAddress({ from, nonce: firstNonce + i })])) as Record<ContractName, string>;
}

async function deployOne(name: ContractName, args: readonly unknown[], signer: Signer): Promise<{ contract: DeployedContract; gas: bigint }> {
  const factory = new ContractFactory(abis[name] as never, compiledContract(name).bytecode, signer);
  const deployed = await factory.deploy(...args);
  const receipt = await deployed.deploymentTransaction()!.wait();
  const address = addressFrom(await deployed.getAddress());
  const codeHash = keccak256(await signer.provider!.getCode(address));
  return { contract: { name, address, args, codeHash, blockNumber: receipt!.blockNumber }, gas: receipt!.gasUsed };
}

function writeRecords(result: DeployResult, folder?: string): void {
  const to = folder ?? join(root, 'deployments', String(result.chainId));
  mkdirSync(to, { recursive: true });
  for (const contract of result.contracts) {
    const text = JSON.stringify(contract, (_key, value) => (typeof value === 'bigint' ? value.toString() : value), 2);
    writeFileSync(join(to, `${contract.name}.json`), `${text}\n`);
  }
}

async function handOut(signer: ContractRunner, pint: Address, fund: NonNullable<DeployOptions['fund']>): Promise<void> {
  const token = new Contract(pint, abis.PintToken as never, signer);
  for (const account of fund.accounts) await (await token.getFunction('transfer')(account, fund.amountWei)).wait();
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      rpc: { type: 'string', default: 'http://127.0.0.1:8545' },
      folder: { type: 'string' },
      parameters: { type: 'string' },
      key: { type: 'string' },
      fund: { type: 'string' },
      amount: { type: 'string', default: '1000000' },
    },
  });
  const fund = values.fund === undefined ? {} : { fund: { accounts: values.fund.split(','), amountWei: parseEther(values.amount) } };
  const { addresses, chainId } = await deploy({
    rpcUrl: values.rpc, ...fund, ...(values.key === undefined ? {} : { deployer: values.key as Hex }),
    ...(values.folder === undefined ? {} : { folder: values.folder }),
    ...(values.parameters === undefined ? {} : { parameters: readParameters(values.parameters) }),
  });
  console.log(JSON.stringify({ chainId: String(chainId), addresses }, null, 2));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
