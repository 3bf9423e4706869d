import { Interface, id as hashOfText, type InterfaceAbi } from 'ethers';
import { abis } from '../../contracts/index.ts';
import type { Hex } from '../../protocol/types/index.ts';
import { operatorFaults } from './faults.ts';
import { momentOf, type Moment } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** Unit of a parameter: wei of PINT, seconds, basis points, blocks. */
export type ParameterUnit = 'wei' | 's' | 'bps' | 'blocks';

interface ParameterGroup {
  readonly setter: string;
  readonly fields: Readonly<Record<string, ParameterUnit>>;
}

/** What governance may change, by the getter of `SystemParams` that reads it; fields in the order of the struct. */
export const parameterGroups = {
  stakeRates: { setter: 'setStakeRates', fields: { minimum: 'wei', perGib: 'wei', perVcpu: 'wei' } },
  feeLock: { setter: 'setFeeLock', fields: { bps: 'bps', period: 's' } },
  ladder: { setter: 'setLadder', fields: { service: 's', fees: 'wei' } },
  draw: { setter: 'setDraw', fields: { delay: 'blocks' } },
} as const satisfies Record<string, ParameterGroup>;
export type ParameterGroupName = keyof typeof parameterGroups;

/** Values of one group by field. */
export type ParameterValues = Readonly<Record<string, bigint>>;

const paramsAbi = new Interface(abis.SystemParams as InterfaceAbi);

/** Every group's values now. */
export async function readParams(network: Network): Promise<Readonly<Record<ParameterGroupName, ParameterValues>>> {
  const names = Object.keys(parameterGroups) as ParameterGroupName[];
  const at = await momentOf(network);
  const read = await Promise.all(names.map((name) => readGroup(at, name)));
  return Object.fromEntries(names.map((name, i) => [name, read[i]])) as Record<ParameterGroupName, ParameterValues>;
}

async function readGroup(at: Moment, name: ParameterGroupName): Promise<ParameterValues> {
  const struct = await at.read<{ toObject(): Record<string, bigint> }>('SystemParams', name);
  return { ...struct.toObject() };
}

/** How long a group's change waits in the authority after it passed, in seconds. */
export async function delayOf(network: Network, name: ParameterGroupName): Promise<bigint> {
  const authority = network.contract('Authority');
  const selector = paramsAbi.getFunction(parameterGroups[name].setter)?.selector;
  const role = await authority.getFunction('getTargetFunctionRole')(network.address('SystemParams'), selector);
  const [, delay] = (await authority.getFunction('hasRole')(role, network.address('PintGovernor'))) as [boolean, bigint];
  return delay;
}

/**
 * Puts a change of one group to the vote; fields that are left out stay as they are.
 * @throws CHAIN_REFUSED when a field is unknown or the wallet has too few votes
 */
export async function proposeParams(
  network: Network, name: ParameterGroupName, changes: ParameterValues, description: string,
): Promise<Receipt & { readonly proposal: bigint }> {
  const { fields, setter } = parameterGroups[name];
  const unknown = Object.keys(changes).find((field) => !(field in fields));
  if (unknown !== undefined) throw operatorFaults.refused({ reason: `no parameter ${unknown} in ${name}`, known: Object.keys(fields).join(', ') });
  const next = { ...(await readGroup(await momentOf(network), name)), ...changes };
  const call = paramsAbi.encodeFunctionData(setter, [Object.keys(fields).map((field) => next[field])]);
  const calls = [[network.address('SystemParams')], [0n], [call]] as const;
  const receipt = await network.send('PintGovernor', 'propose', [...calls, description]);
  const proposal = (await network.contract('PintGovernor').getFunction('hashProposal')(...calls, hashOfText(description))) as bigint;
  return { ...receipt, proposal };
}

const states = ['pending', 'active', 'canceled', 'defeated', 'succeeded', 'queued', 'expired', 'executed'] as const;

/** A proposal as the chain knows it; times in unix seconds, zero when there is none yet. */
export interface Proposal {
  readonly id: bigint;
  readonly state: (typeof states)[number];
  readonly description: string;
  readonly voteStart: bigint;
  readonly voteEnd: bigint;
  readonly eta: bigint;
  readonly calls: { readonly targets: readonly string[]; readonly values: readonly bigint[]; readonly calldatas: readonly Hex[] };
}

/** @throws CHAIN_REFUSED when there is no such proposal */
export async function proposalOf(network: Network, id: bigint): Promise<Proposal> {
  const event = (await network.events('PintGovernor', 'ProposalCreated')).find(({ proposalId }) => proposalId === id);
  if (event === undefined) throw operatorFaults.refused({ proposal: id, reason: 'no such proposal' });
  const at = await momentOf(network);
  const [state, voteEnd, eta] = (await Promise.all(
    ['state', 'proposalDeadline', 'proposalEta'].map((view) => at.read('PintGovernor', view, id)),
  )) as [bigint, bigint, bigint];
  const { targets, calldatas, description, voteStart } = event as unknown as Proposal & Proposal['calls'];
  const values = targets.map(() => 0n);
  return { id, state: states[Number(state)] ?? 'pending', description, voteStart, voteEnd, eta, calls: { targets: [...targets], values, calldatas: [...calldatas] } };
}

/** Casts the wallet's votes. */
export function castVote(network: Network, id: bigint, support: 'against' | 'for' | 'abstain'): Promise<Receipt> {
  return network.send('PintGovernor', 'castVote', [id, { against: 0, for: 1, abstain: 2 }[support]]);
}

/** Starts the wait of a proposal that passed, or carries it out after the wait; anybody may. */
export async function advanceProposal(network: Network, id: bigint, step: 'queue' | 'execute'): Promise<Receipt> {
  const { calls, description } = await proposalOf(network, id);
  return network.send('PintGovernor', step, [calls.targets, calls.values, calls.calldatas, hashOfText(description)]);
}
