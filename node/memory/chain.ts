import { defineFaults } from '../../protocol/errors/index.ts';
import type { Address, ClusterId, Hex, Path } from '../../protocol/types/index.ts';
import type { ChainPort, ChallengeView, ChannelView, ClusterView, GroupView, NodeView, SubmittedTransaction } from '../ports/index.ts';

const faults = defineFaults('CHAIN', {
  settled: ['this was dealt with already', 'nothing: the evidence or the challenge has done its work'],
});

/** One chain that many nodes look at; the test plays the contracts. */
export interface MemoryChain {
  /** A node's own view of the chain. */
  port(): ChainPort;
  /** Sets what is given and mines a block: every port's handlers run. */
  mine(change?: MemoryChainChange): void;
  /** Evidence that was accepted, in order. */
  readonly evidence: readonly Evidence[];
  /** Cells that nodes answered challenges with, and questions that they opened, in order. */
  readonly cells: readonly Hex[];
  readonly questions: readonly { readonly path: Path; readonly question: Hex }[];
  /** Time without contact that the ports report. */
  setStaleMs(staleMs: number): void;
}

export interface MemoryChainChange {
  readonly nodes?: readonly NodeView[];
  readonly clusters?: readonly ClusterView[];
  /** A group with a new epoch adds to its past. */
  readonly groups?: readonly GroupView[];
  readonly channels?: readonly ChannelView[];
  readonly levels?: readonly (readonly [Address, number])[];
  readonly challenges?: readonly ChallengeView[];
  /** Challenges that are over. */
  readonly closed?: readonly ChallengeView[];
}

interface Evidence {
  readonly offence: string;
  readonly call: Hex;
}

export function createMemoryChain(chainId = 31_337n): MemoryChain {
  return new SharedChain(chainId);
}

class SharedChain implements MemoryChain {
  readonly chainId: bigint;
  readonly nodes = new Map<Address, NodeView>();
  readonly clusters = new Map<ClusterId, ClusterView>();
  readonly groups = new Map<string, GroupView>();
  readonly rosters = new Map<string, readonly Address[]>();
  readonly channels = new Map<string, ChannelView>();
  readonly levels = new Map<Address, number>();
  readonly challenges = new Map<string, ChallengeView>();
  readonly cells: Hex[] = [];
  readonly questions: { path: Path; question: Hex }[] = [];
  readonly evidence: Evidence[] = [];
  readonly handlers = new Set<() => void>();
  height = 0n;
  staleMs = 0;

  constructor(chainId: bigint) {
    this.chainId = chainId;
  }

  port(): ChainPort {
    return new Port(this);
  }

  mine(change: MemoryChainChange = {}): void {
    for (const node of change.nodes ?? []) this.nodes.set(node.signer, node);
    for (const cluster of change.clusters ?? []) this.clusters.set(cluster.cluster, cluster);
    for (const group of change.groups ?? []) {
      this.groups.set(group.group, group);
      this.rosters.set(`${group.group}/${group.epoch}`, group.roster);
    }
    for (const channel of change.channels ?? []) this.channels.set(channel.channel, channel);
    for (const [account, level] of change.levels ?? []) this.levels.set(account, level);
    for (const challenge of change.challenges ?? []) this.challenges.set(`${challenge.group}/${challenge.node}`, challenge);
    for (const { group, node } of change.closed ?? []) this.challenges.delete(`${group}/${node}`);
    this.height += 1n;
    for (const handler of this.handlers) handler();
  }

  setStaleMs(staleMs: number): void {
    this.staleMs = staleMs;
  }

  receipt(): SubmittedTransaction {
    return { hash: hashOf(BigInt(this.cells.length + this.questions.length) << 128n), gasUsed: 75_000n, blockNumber: this.height };
  }

  /** Everyone's evidence counts once, whoever brings it. */
  accept(item: Evidence): SubmittedTransaction {
    if (this.evidence.some(({ call }) => call === item.call)) throw faults.settled({ offence: item.offence });
    this.evidence.push(item);
    return { hash: hashOf(BigInt(this.evidence.length) << 64n), gasUsed: 80_000n, blockNumber: this.height };
  }
}

class Port implements ChainPort {
  private readonly chain: SharedChain;
  private readonly handlers: (() => void)[] = [];
  private readonly sent = new Map<string, SubmittedTransaction>();

  constructor(chain: SharedChain) {
    this.chain = chain;
  }

  get chainId(): bigint {
    return this.chain.chainId;
  }

  groupsOf: ChainPort['groupsOf'] = (signer) =>
    [...this.chain.groups.values()].filter((group) => group.open && group.roster.includes(signer));
  group: ChainPort['group'] = (group) => this.chain.groups.get(group);
  roster: ChainPort['roster'] = (group, epoch) => this.chain.rosters.get(`${group}/${epoch}`);
  cluster: ChainPort['cluster'] = (cluster) => this.chain.clusters.get(cluster);
  channelsOf: ChainPort['channelsOf'] = (cluster) =>
    [...this.chain.channels.values()].filter((channel) => channel.cluster === cluster).sort((a, b) => Number(b.depositWei - a.depositWei));
  accessLevel: ChainPort['accessLevel'] = (account) => this.chain.levels.get(account) ?? 0;
  nodeOf: ChainPort['nodeOf'] = (signer) => this.chain.nodes.get(signer);

  challengesOf: ChainPort['challengesOf'] = (node) => [...this.chain.challenges.values()].filter((challenge) => challenge.node === node);

  async answerChallenge({ group, node }: Pick<ChallengeView, 'group' | 'node'>, cell: Hex): Promise<SubmittedTransaction> {
    if (!this.chain.challenges.delete(`${group}/${node}`)) throw faults.settled({ group, node });
    this.chain.cells.push(cell);
    return this.chain.receipt();
  }

  async openChallenge(path: Path, question: Hex): Promise<SubmittedTransaction> {
    this.chain.questions.push({ path, question });
    return this.chain.receipt();
  }

  onChange(handler: () => void): void {
    this.handlers.push(handler);
    this.chain.handlers.add(handler);
  }

  beacon(): ReturnType<ChainPort['beacon']> {
    const { height } = this.chain;
    return height === 0n ? undefined : { blockNumber: height, blockHash: hashOf(height), timestamp: height };
  }

  async submitEvidence(item: Evidence): Promise<SubmittedTransaction> {
    const known = this.sent.get(item.call) ?? this.chain.accept(item);
    this.sent.set(item.call, known);
    return known;
  }

  /** A port looks at the chain itself. */
  refresh(): Promise<void> {
    return Promise.resolve();
  }

  staleMs(): number {
    return this.chain.height === 0n ? Number.POSITIVE_INFINITY : this.chain.staleMs;
  }

  async close(): Promise<void> {
    for (const handler of this.handlers) this.chain.handlers.delete(handler);
  }
}

function hashOf(n: bigint): Hex {
  return `0x${n.toString(16).padStart(64, '0')}`;
}
