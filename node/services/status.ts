import type { GroupStatus, Health, NodeStatus, ReplicaStatusAnswer } from '../../protocol/query/index.ts';
import type { GroupId } from '../../protocol/types/index.ts';
import type { GroupHost, Member } from '../host/index.ts';
import type { GroupSample } from '../observe/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { ServiceParts } from './services.ts';

const CHAIN_STALE_MS = 30_000;
const VERSION = '0.1.0';

type StatusParts = Pick<ServiceParts, 'signer' | 'chain' | 'clock' | 'transport' | 'groups'>;

/** Who this node is and where its groups stand. */
export function statusOf(parts: StatusParts, startedMs: number): NodeStatus {
  const { signer, clock, transport, groups } = parts;
  const nowMs = clock.nowMs();
  return {
    node: signer.address, version: VERSION, chainId: signer.domain.chainId, verifyingContract: signer.domain.verifyingContract,
    nowMs: BigInt(nowMs), uptimeMs: BigInt(Math.max(0, nowMs - startedMs)), peers: transport.stats().connected.length,
    groups: [...groups.members].map(([group, member]) => groupStatus(parts, group, member, nowMs)),
  };
}

function groupStatus(parts: StatusParts, group: GroupId, member: Member<SqlLedger>, nowMs: number): GroupStatus {
  const { view, host, state, storage } = member;
  const position = storage.ledger.position();
  const replica = view.roster.indexOf(parts.signer.address);
  return {
    group, cluster: view.cluster, epoch: view.epoch, roster: view.roster, apis: apisOf(parts, member), replica: replica < 0 ? null : replica,
    view: host?.status().view ?? 0n, height: position.height, closeTs: position.closeTs,
    certifiedHeight: storage.ledger.certified()?.height ?? 0n, databases: storage.ledger.databases(), state,
    consensus: host === undefined ? null : consensusStatus(host, nowMs),
  };
}

function consensusStatus(host: GroupHost, nowMs: number): ReplicaStatusAnswer {
  const { leader, changingTo, fastOpen, behind, closeTs, pending, peers, counts } = host.status();
  return {
    leader, changingTo: changingTo ?? null, mode: fastOpen && !host.config.classicOnly ? 'fast' : 'classic',
    fast: BigInt(counts.fast), classic: BigInt(counts.classic), aborted: BigInt(counts.aborted),
    rejects: BigInt(counts.rejects), viewChanges: BigInt(counts.viewChanges), pending,
    behind, lagMs: BigInt(Math.max(0, nowMs - Number(closeTs >> 48n))),
    peers: peers.flatMap((peer, replica) => (
      peer === undefined ? [] : [{ replica, height: peer.committed, clockOffsetMs: peer.clockOffsetMs ?? null }])),
  };
}

/** The same for a scrape. */
export function sampleOf(host: GroupHost, nowMs: number): GroupSample {
  const { view, leader, fastOpen, committed, checkpoint, pending, acked, closeTs, behind, peers } = host.status();
  return {
    view, leader, fastOpen, committed, checkpoint, pending, acked, lagMs: nowMs - Number(closeTs >> 48n), behind: Number(behind),
    clockOffsetsMs: peers.flatMap((peer, replica) => (peer?.clockOffsetMs === undefined ? [] : [[replica, peer.clockOffsetMs] as const])),
  };
}

/** API addresses of the other members, as they announced them on chain. */
function apisOf({ chain, signer }: StatusParts, { view }: Member<SqlLedger>): string[] {
  return view.roster
    .filter((member) => member !== signer.address)
    .map((member) => chain.nodeOf(member)?.endpoint.split(' ')[0] ?? '')
    .filter((url) => url !== '');
}

/** One line per thing that must work; the detail of a group names its leader and view. */
export function healthOf({ chain, groups, transport, signer }: StatusParts): Health {
  const staleMs = chain.staleMs();
  const served = [...groups.members].filter(([, { view }]) => view.roster.includes(signer.address));
  const checks = [
    { name: 'chain', ok: staleMs < CHAIN_STALE_MS, detail: staleMs === Infinity ? 'never reached' : `last read ${Math.round(staleMs)} ms ago` },
    ...served.map(([group, member]) => ({ name: `group ${group.slice(0, 18)}`, ok: member.state === 'live', detail: stateOf(member) })),
    { name: 'peers', ok: true, detail: `${transport.stats().connected.length} links` },
  ];
  return { ok: checks.every((check) => check.ok), checks };
}

function stateOf({ state, host }: Member<SqlLedger>): string {
  if (host === undefined) return state;
  const { view, leader, changingTo } = host.status();
  const who = `view ${view}, leader ${leader} ${host.config.roster[leader]}`;
  return `${state}, ${who}${changingTo === undefined ? '' : `, asking for view ${changingTo}`}`;
}
