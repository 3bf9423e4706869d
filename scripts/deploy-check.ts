/**
 * Reads a deployment back: the code on chain is the compiled code, and every immutable and every first value is what the
 * plan says. An address that a contract holds must have an expectation here, so nothing is left unread.
 */
import { Contract, getAddress, keccak256, type Provider } from 'ethers';
import { abis, contractNames, type ContractName } from '../contracts/index.ts';
import type { CompiledContract } from './compiled.ts';
import { genesisOf, partyAddress, type DeployParameters } from './deploy-plan.ts';

type At = Readonly<Record<ContractName, string>>;

/** Which contract an immutable address names. */
const holders: Readonly<Record<string, ContractName>> = {
  PINT: 'PintToken', VAULT: 'StakeVault', REGISTRY: 'NodeRegistry', NODES: 'NodeRegistry', CLUSTERS: 'ClusterRegistry', PARAMS: 'SystemParams',
  STAKE: 'StakeVotes', MINTER: 'Authority', SPLITTER: 'ClusterSplitter', CHANNELS: 'PaymentChannels',
  SEATS: 'JurorSeats', COURT: 'DisputeCourt',
  token: 'PintToken', accessManager: 'Authority', authority: 'Authority',
};

/** Immutables and first values that are no address of another contract. */
function valuesOf(deployer: string, p: DeployParameters, at: At): Readonly<Partial<Record<ContractName, Readonly<Record<string, unknown>>>>> {
  const party = (who: Parameters<typeof partyAddress>[0]): string => partyAddress(who, deployer, at);
  const [stakeRates, feeLock, ladder, draw] = genesisOf(p);
  const slow = p.unbonding + 2n * 86_400n;
  return {
    PintToken: { totalSupply: 10n ** 27n },
    StakeVault: { UNBONDING: p.unbonding, EVIDENCE_WINDOW: p.evidenceWindow, DISPUTE_TIME: p.dispute, SLASHER_DELAY: slow, admin: party(p.vaultAdmin) },
    SystemParams: { stakeRates, feeLock, ladder, draw },
    StakeVotes: { LIFE: p.unbonding },
    PintGovernor: {
      votingDelay: p.votingDelay, votingPeriod: p.votingPeriod, proposalThreshold: p.proposalThresholdWei, lateQuorumVoteExtension: p.lateQuorumExtension,
    },
    Authority: { SLOW: slow, GENESIS_GUARDIAN: party(p.guardian) },
  };
}

interface View {
  readonly name: string;
  readonly type: string;
  readonly inputs: readonly unknown[];
  readonly outputs: readonly { readonly type: string }[];
  readonly stateMutability: string;
}

/** Differences between plan and chain, one line each; empty when all is as planned. */
export async function checkDeployment(
  provider: Provider, deployer: string, p: DeployParameters, at: At, compiled: (name: ContractName) => CompiledContract,
): Promise<readonly string[]> {
  const found = await Promise.all(contractNames.map(async (name) => [
    ...(await checkCode(provider, name, at[name], compiled(name))), ...(await checkValues(provider, name, at, valuesOf(deployer, p, at)[name] ?? {})),
  ]));
  return found.flat();
}

async function checkCode(provider: Provider, name: ContractName, address: string, { codeHash, immutables }: CompiledContract): Promise<readonly string[]> {
  const code = Buffer.from((await provider.getCode(address)).slice(2), 'hex');
  for (const [start, length] of immutables) code.fill(0, start, start + length);
  return keccak256(code) === codeHash ? [] : [`${name}: the code is not what was compiled`];
}

async function checkValues(provider: Provider, name: ContractName, at: At, values: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const contract = new Contract(at[name], abis[name] as never, provider);
  const views = (abis[name] as readonly unknown[] as readonly View[]).filter((entry) => entry.type === 'function' && entry.inputs.length === 0);
  const expected = (view: View): unknown => {
    if (view.name in values) return values[view.name];
    if (view.outputs[0]?.type !== 'address') return undefined;
    const held = holders[view.name];
    if (held !== undefined) return at[held];
    return /^[A-Z_]+$/.test(view.name) ? 'an address that the plan knows' : undefined;
  };
  const lines = await Promise.all(views.map(async (view) => {
    const want = expected(view);
    if (want === undefined) return [];
    const have = await contract.getFunction(view.name)();
    return plain(have) === plain(want) ? [] : [`${name}.${view.name} is ${plain(have)}, planned ${plain(want)}`];
  }));
  return lines.flat();
}

function plain(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `[${[...(value as Iterable<unknown>)].map(plain).join(', ')}]`;
  const text = String(value);
  return /^0x[0-9a-fA-F]{40}$/.test(text) ? getAddress(text) : text;
}
