import { addressFrom, hash32From, type Address, type ClusterId, type Epoch, type GroupId } from '../../protocol/types/index.ts';
import { collectOffers, listProviders, replaceMember } from './cluster.ts';
import { operatorFaults } from './faults.ts';
import { momentOf, type Moment } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** A group as the registry has it now. */
export interface GroupRecord {
  readonly group: GroupId;
  readonly cluster: ClusterId;
  /** Its number among the cluster's groups. */
  readonly index: number;
  readonly epoch: Epoch;
  /** Capacity that every member gives. */
  readonly gib: number;
  readonly open: boolean;
  /** Signers of the current epoch, ascending, and the nodes they sign for in the same order. */
  readonly roster: readonly Address[];
  readonly nodes: readonly Address[];
}

/** @throws CHAIN_REFUSED when there is no such group */
export async function groupRecord(network: Network, group: GroupId): Promise<GroupRecord> {
  const [formed] = await network.events('ClusterRegistry', 'GroupFormed', [group]);
  if (formed === undefined) throw operatorFaults.refused({ group, reason: 'no such group' });
  const at = await momentOf(network);
  const { epoch, gib, open } = await at.read<{ epoch: bigint; gib: bigint; open: boolean }>('ClusterRegistry', 'groupOf', group);
  const roster = await rosterAt(network, group, epoch);
  return {
    group, cluster: hash32From(formed['cluster']) as ClusterId, index: Number(formed['index']), epoch, gib: Number(gib), open, roster,
    nodes: await nodesOf(at, roster),
  };
}

/** Signers of an epoch, ascending, as the registry's event names them; CHAIN_REFUSED when there was no such epoch. */
export async function rosterAt(network: Network, group: GroupId, epoch: bigint): Promise<readonly Address[]> {
  const started = (await network.events('ClusterRegistry', 'EpochStarted', [group])).find((event) => event['epoch'] === epoch);
  if (started === undefined) throw operatorFaults.refused({ group, epoch, reason: 'no such group and epoch' });
  return (String(started['roster']).slice(2).match(/.{40}/g) ?? []).map((signer) => addressFrom(`0x${signer}`));
}

/** The nodes that sign with these keys, in the same order. */
export function nodesOf(at: Moment, roster: readonly Address[]): Promise<Address[]> {
  return Promise.all(roster.map(async (signer) => addressFrom(await at.read<string>('StakeVault', 'nodeOfSigner', signer))));
}

/**
 * Puts another provider in the place of a member: the group's next epoch. The wallet owns the cluster.
 * @param joining the provider to take; without it the first announced one that is no member and offers enough capacity
 * @throws CHAIN_REFUSED when `leaving` is no member, CHAIN_TOO_FEW_PROVIDERS when nobody offers
 */
export async function replaceNode(
  network: Network, group: GroupId, leaving: Address, joining?: Address,
): Promise<Receipt & { readonly joined: Address; readonly epoch: Epoch }> {
  const { cluster, index, epoch, gib, roster, nodes } = await groupRecord(network, group);
  const signer = signerOf(group, roster, nodes, leaving);
  const wanted = (node: Address): boolean => (joining === undefined ? !nodes.includes(node) : node === joining);
  const candidates = (await listProviders(network, cluster)).filter(({ node }) => wanted(node));
  const [offer] = await collectOffers(network.domain, candidates, cluster, gib, 1);
  if (offer === undefined) throw operatorFaults.tooFewProviders({ wanted: 1, offered: 0 });
  const receipt = await replaceMember(network, cluster, index, roster, signer, offer);
  return { ...receipt, joined: offer.offer.node, epoch: epoch + 1n };
}

/**
 * The wallet's node gives notice: if nobody has replaced it by then, it may close the group (`closeGroup`).
 * @returns `mayCloseAt` in unix seconds
 */
export async function requestLeave(network: Network, group: GroupId, node: Address): Promise<Receipt & { readonly mayCloseAt: bigint }> {
  const { roster, nodes } = await groupRecord(network, group);
  const receipt = await network.send('ClusterRegistry', 'requestLeave', [group, packedRoster(roster), signerOf(group, roster, nodes, node)]);
  return { ...receipt, mayCloseAt: await noticeOf(network, group) };
}

/** When the wallet may close the group because it gave notice in this epoch, in unix seconds; zero without notice. */
export async function noticeOf(network: Network, group: GroupId): Promise<bigint> {
  const at = await momentOf(network);
  const { epoch } = await at.read<{ epoch: bigint }>('ClusterRegistry', 'groupOf', group);
  const notice = await at.read<string>('ClusterRegistry', 'noticeId', group, epoch, network.account);
  return at.read<bigint>('ClusterRegistry', 'mayCloseAt', notice);
}

/** Ends a group for its owner, or for a member whose notice has run out: it serves nobody any more, its members' capacity is free. */
export async function closeGroup(network: Network, group: GroupId): Promise<Receipt> {
  const { cluster, index, roster } = await groupRecord(network, group);
  return network.send('ClusterRegistry', 'closeGroup', [cluster, index, packedRoster(roster)]);
}

function packedRoster(roster: readonly Address[]): string {
  return `0x${roster.map((signer) => signer.slice(2)).join('')}`;
}

function signerOf(group: GroupId, roster: readonly Address[], nodes: readonly Address[], node: Address): Address {
  const signer = roster[nodes.indexOf(node)];
  if (signer === undefined) throw operatorFaults.refused({ node, group, reason: 'not a member of the group' });
  return signer;
}
