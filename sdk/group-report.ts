import type { GroupStatus, NodeStatus } from '../protocol/query/index.ts';
import type { Address, Hash32 } from '../protocol/types/index.ts';
import { exchangeOver, type Fetch } from './net/exchange.ts';
import { baseUrl, callNode } from './net/http.ts';

/** One member of a group as it describes itself, and its clock as the others see it. Nothing of this is proven. */
export interface MemberReport {
  /** Place in the roster. */
  readonly replica: number;
  readonly node: Address;
  readonly state: GroupStatus['state'] | 'unreachable';
  readonly epoch: bigint | null;
  readonly view: bigint | null;
  /** Place of the leader of that view. */
  readonly leader: number | null;
  readonly mode: 'fast' | 'classic' | null;
  /** Share of its committed entries that went the fast way, 0 to 1; null before the first. */
  readonly fastShare: number | null;
  readonly rejects: bigint | null;
  readonly viewChanges: bigint | null;
  readonly height: bigint | null;
  /** Blocks behind the highest member. */
  readonly behind: bigint | null;
  /** Its clock minus its closed timestamp. */
  readonly lagMs: bigint | null;
  /** Its clock minus theirs: the median of what the others measured, the way of the message included. */
  readonly clockOffsetMs: number | null;
  /** Height of its newest certified checkpoint. */
  readonly checkpoint: bigint | null;
}

export interface GroupReport {
  readonly group: Hash32;
  /** Highest committed height that a member told. */
  readonly tip: bigint;
  readonly members: readonly MemberReport[];
}

/**
 * Asks the node at `url` for its groups, and every member it names for its own view of them.
 * SDK_NO_NODE when that node does not answer; members that do not are 'unreachable'.
 */
export async function groupReport(url: string, group: Hash32 | undefined, timeoutMs: number, fetcher: Fetch = fetch): Promise<readonly GroupReport[]> {
  const ask = (at: string): Promise<NodeStatus> => callNode(exchangeOver(fetcher), baseUrl(at), 'status', {}, timeoutMs);
  const first = await ask(url);
  const wanted = first.groups.filter((status) => group === undefined || status.group === group);
  const others = [...new Set(wanted.flatMap(({ apis }) => apis))];
  const answers = await Promise.all(others.map((api) => ask(api).catch(() => undefined)));
  const nodes = [first, ...answers.filter((answer) => answer !== undefined)];
  return wanted.map((status) => reportOf(status, nodes));
}

function reportOf({ group, roster }: GroupStatus, nodes: readonly NodeStatus[]): GroupReport {
  const told = roster.map((member) => nodes.find(({ node }) => node === member)?.groups.find((status) => status.group === group));
  const tip = told.reduce((highest, status) => (status !== undefined && status.height > highest ? status.height : highest), 0n);
  const offsetsOf = (replica: number): number[] => told.flatMap((status) => (
    status?.consensus?.peers.flatMap((peer) => (peer.replica === replica && peer.clockOffsetMs !== null ? [peer.clockOffsetMs] : [])) ?? []));
  return { group, tip, members: roster.map((node, replica) => memberOf(node, replica, told[replica], tip, median(offsetsOf(replica)))) };
}

function memberOf(node: Address, replica: number, status: GroupStatus | undefined, tip: bigint, clockOffsetMs: number | null): MemberReport {
  const inside = status?.consensus ?? undefined;
  const decided = inside === undefined ? 0n : inside.fast + inside.classic;
  return {
    replica, node, state: status?.state ?? 'unreachable', epoch: status?.epoch ?? null, view: status?.view ?? null,
    leader: inside?.leader ?? null, mode: inside?.mode ?? null,
    fastShare: inside === undefined || decided === 0n ? null : Number(inside.fast) / Number(decided),
    rejects: inside?.rejects ?? null, viewChanges: inside?.viewChanges ?? null,
    height: status?.height ?? null, behind: status === undefined ? null : tip - status.height, lagMs: inside?.lagMs ?? null,
    clockOffsetMs, checkpoint: status?.certifiedHeight ?? null,
  };
}

function median(values: readonly number[]): number | null {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;
}
