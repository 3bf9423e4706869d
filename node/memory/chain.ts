import { defineFaults } from '../../protocol/errors/index.ts';
import type { Address, ClusterId, Hex } from '../../protocol/types/index.ts';
import type { ChainPort, ChannelView, ClusterView, GroupView, NodeView, SubmittedTransaction } from '../ports/index.ts';

const faults = defineFaults('CHAIN', {
  settled: ['this offence was punished already', 'nothing: the evidence has done its work'],
});

/** One chain that many nodes look at; the test plays the contracts. */
export interface MemoryChain {
  readonly port: () => ChainPort;
  /** Sets what is given and mines a block: every port's handlers run. */
  mine(change?: MemoryChainChange): void;
  /** Evidence that was accepted, in order. */
  readonly evidence: readonly { readonly offence: string; readonly call: Hex }[];
  /** Seconds without contact that the ports report. */
  setStaleMs(staleMs: number): void;
}

export interface MemoryChainChange {
  readonly nodes?: readonly NodeView[];
  readonly clusters?: readonly ClusterView[];
  /** A group with a new epoch adds to its past. */
  readonly groups?: readonly GroupView[];
  readonly channels?: readonly ChannelView[];
  readonly levels?: readonly (readonly [Address, number])[];
}

interface State {
  readonly nodes: Map<Address, NodeView>;
  readonly clusters: Map<ClusterId, ClusterView>;
  readonly groups: Map<string, GroupView>;
  readonly rosters: Map<string, readonly Address[]>;
  readonly channels: Map<string, ChannelView>;
  readonly levels: Map<Address, number>;
}

export function createMemoryChain(chainId = 31_337n): MemoryChain {
  const state: State = { nodes: new Map(), clusters: new Map(), groups: new Map(), rosters: new Map(), channels: new Map(), levels: new Map() };
  const handlers = new Set<() => void>();
  const evidence: { offence: string; call: Hex }[] = [];
  let height = 0n;
  let staleMs = 0;
  const submit = (item: { offence: string; call: Hex }): SubmittedTransaction => {
    if (evidence.some(({ call }) => call === item.call)) throw faults.settled({ offence: item.offence });
    evidence.push(item);
    return { hash: hashOf(height + 1_000_000n), gasUsed: 80_000n, blockNumber: height };
  };
  const port = (): ChainPort => {
    const mine = new Set<() => void>();
    const sent = new Map<string, Promise<SubmittedTransaction>>();
    return {
      chainId,
      groupsOf: (signer) => [...state.groups.values()].filter((group) => group.open && group.roster.includes(signer)),
      group: (group) => state.groups.get(group),
      roster: (group, epoch) => state.rosters.get(`${group}/${epoch}`),
      cluster: (cluster) => state.clusters.get(cluster),
      channelsOf: (cluster) => [...state.channels.values()].filter((c) => c.cluster === cluster).sort((a, b) => Number(b.depositWei - a.depositWei)),
      accessLevel: (account) => state.levels.get(account) ?? 0,
      nodeOf: (signer) => state.nodes.get(signer),
      onChange(handler) {
        mine.add(handler);
        handlers.add(handler);
      },
      beacon: () => (height === 0n ? undefined : { blockNumber: height, blockHash: hashOf(height) }),
      async submitEvidence(item) {
        const known = sent.get(item.offence);
        if (known !== undefined) return known;
        const result = submit(item);
        sent.set(item.offence, Promise.resolve(result));
        return result;
      },
      staleMs: () => (height === 0n ? Number.POSITIVE_INFINITY : staleMs),
      async close() {
        for (const handler of mine) handlers.delete(handler);
      },
    };
  };
  return {
    port, evidence,
    setStaleMs: (ms) => void (staleMs = ms),
    mine(change = {}) {
      apply(state, change);
      height += 1n;
      for (const handler of handlers) handler();
    },
  };
}

function apply(state: State, change: MemoryChainChange): void {
  for (const node of change.nodes ?? []) state.nodes.set(node.signer, node);
  for (const cluster of change.clusters ?? []) state.clusters.set(cluster.cluster, cluster);
  for (const group of change.groups ?? []) {
    state.groups.set(group.group, group);
    state.rosters.set(`${group.group}/${group.epoch}`, group.roster);
  }
  for (const channel of change.channels ?? []) state.channels.set(channel.channel, channel);
  for (const [account, level] of change.levels ?? []) state.levels.set(account, level);
}

function hashOf(n: bigint): Hex {
  return `0x${n.toString(16).padStart(64, '0')}`;
}
