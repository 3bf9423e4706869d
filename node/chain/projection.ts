import { ZERO_ADDRESS, type Address, type ClusterId, type Epoch, type GroupId, type Hash32 } from '../../protocol/types/index.ts';
import type { ChallengeView, ChannelView, ClusterView, GroupView, NodeView, TermsView } from '../ports/index.ts';
import type { ChainEvent } from './events.ts';

/** A cluster with all the terms that may still matter, in order of taking effect. */
export type ClusterRecord = Omit<ClusterView, 'terms'> & { readonly terms: readonly TermsView[] };
export type ChannelRecord = ChannelView & { readonly claimedWei: bigint };

/**
 * The chain's state as a node needs it, folded from events. Records are replaced, never changed, so a
 * clone is shallow and callers may keep what they were given.
 */
export interface Projection {
  readonly nodes: Map<Address, NodeView>;
  /** Every key that a node ever signed with. */
  readonly nodeOfSigner: Map<Address, Address>;
  readonly clusters: Map<ClusterId, ClusterRecord>;
  readonly groups: Map<GroupId, GroupView>;
  /** `<group>/<epoch>` -> signers. */
  readonly rosters: Map<string, readonly Address[]>;
  readonly channels: Map<Hash32, ChannelRecord>;
  readonly levels: Map<Address, number>;
  /** `<group>/<node>` -> what it is asked. */
  readonly challenges: Map<string, ChallengeView>;
}

export function emptyProjection(): Projection {
  return {
    nodes: new Map(), nodeOfSigner: new Map(), clusters: new Map(), groups: new Map(), rosters: new Map(), channels: new Map(),
    levels: new Map(), challenges: new Map(),
  };
}

export function cloneProjection(p: Projection): Projection {
  return {
    nodes: new Map(p.nodes), nodeOfSigner: new Map(p.nodeOfSigner), clusters: new Map(p.clusters), groups: new Map(p.groups),
    rosters: new Map(p.rosters), channels: new Map(p.channels), levels: new Map(p.levels), challenges: new Map(p.challenges),
  };
}

export function rosterKey(group: GroupId, epoch: Epoch): string {
  return `${group}/${epoch}`;
}

/** Where an event happened and what it is relative to. */
export interface FoldContext {
  /** Seconds, of the event's block. */
  readonly timestamp: bigint;
  /** Only channels that pay this account matter. */
  readonly splitter: Address;
}

export function fold(p: Projection, event: ChainEvent, context: FoldContext): void {
  switch (event.kind) {
    case 'Registered':
      p.nodeOfSigner.set(event.signer, event.node);
      return changeNode(p, event.node, { owner: event.owner, signer: event.signer });
    case 'SignerRotated':
      p.nodeOfSigner.set(event.signer, event.node);
      return changeNode(p, event.node, { signer: event.signer });
    case 'StakeChanged':
      return addStake(p, event.node, event.deltaWei);
    case 'Slashed':
      addStake(p, event.node, -event.amountWei); // active stake goes first; what exceeds it was pending
      return event.convicted ? changeNode(p, event.node, { tombstoned: true }) : undefined;
    case 'NodeUpdated':
      return changeNode(p, event.node, { offeredGib: event.gib, region: event.region });
    case 'Announced':
      return changeNode(p, event.node, { endpoint: event.endpoint });
    case 'LevelChanged':
      p.levels.set(event.account, event.level);
      return;
    case 'ChallengeOpened':
      p.challenges.set(`${event.challenge.group}/${event.challenge.node}`, event.challenge);
      return;
    case 'ChallengeClosed':
      p.challenges.delete(`${event.group}/${event.node}`);
      return;
    case 'ChannelOpened': case 'ChannelFunded': case 'ChannelCollected': case 'ChannelClosing':
      return foldChannel(p, event, context.splitter);
    default:
      foldCluster(p, event, context.timestamp);
  }
}

type ChannelEvent = Extract<ChainEvent, { kind: `Channel${string}` }>;
type ClusterEvent = Extract<ChainEvent, { kind: 'ClusterCreated' | 'TermsChanged' | 'GroupFormed' | 'EpochStarted' | 'GroupClosed' }>;

function foldCluster(p: Projection, event: ClusterEvent, timestamp: bigint): void {
  if (event.kind === 'ClusterCreated') {
    const { cluster, owner, replicationFactor, regionMask } = event;
    p.clusters.set(cluster, { cluster, owner, replicationFactor, regionMask, terms: [] });
  } else if (event.kind === 'TermsChanged') {
    const record = p.clusters.get(event.cluster);
    if (record !== undefined) p.clusters.set(event.cluster, { ...record, terms: nextTerms(record.terms, event.terms, timestamp) });
  } else if (event.kind === 'GroupFormed') {
    const { group, cluster, gib } = event;
    p.groups.set(group, { group, cluster, gib, epoch: 0n, roster: [], startedAt: 0n, open: true });
  } else {
    const view = p.groups.get(event.group);
    if (event.kind === 'EpochStarted') p.rosters.set(rosterKey(event.group, event.epoch), event.roster);
    if (view !== undefined) p.groups.set(event.group, { ...view, ...groupChange(event, timestamp) });
  }
}

function groupChange(event: Extract<ClusterEvent, { kind: 'EpochStarted' | 'GroupClosed' }>, timestamp: bigint): Partial<GroupView> {
  if (event.kind === 'GroupClosed') return { open: false };
  return { epoch: event.epoch, roster: event.roster, startedAt: timestamp };
}

/** An announcement replaces one that has not taken effect; of those in effect only the newest matters. */
function nextTerms(terms: readonly TermsView[], announced: TermsView, timestamp: bigint): readonly TermsView[] {
  return [...terms.filter(({ effectiveAt }) => effectiveAt <= timestamp).slice(-1), announced];
}

function foldChannel(p: Projection, event: ChannelEvent, splitter: Address): void {
  if (event.kind === 'ChannelOpened') {
    const { channel, payer, signer, token, salt, amountWei } = event;
    if (event.payee !== splitter) return;
    const claimedWei = p.channels.get(channel)?.claimedWei ?? 0n;
    p.channels.set(channel, { channel, cluster: salt as ClusterId, payer, signer, token, depositWei: amountWei, closeAt: 0n, claimedWei });
    return;
  }
  const record = p.channels.get(event.channel);
  if (record !== undefined) p.channels.set(event.channel, { ...record, ...channelChange(record, event) });
}

function channelChange(record: ChannelRecord, event: Exclude<ChannelEvent, { kind: 'ChannelOpened' }>): Partial<ChannelRecord> {
  if (event.kind === 'ChannelCollected') return { claimedWei: record.claimedWei + event.paidWei };
  if (event.kind === 'ChannelClosing') return { closeAt: event.closeAt };
  const closeAt = event.deltaWei < 0n ? 0n : record.closeAt; // a withdrawal ends the notice
  return { depositWei: record.depositWei + event.deltaWei, closeAt };
}

function changeNode(p: Projection, node: Address, change: Partial<NodeView>): void {
  const view = p.nodes.get(node) ?? {
    node, signer: node, activeStakeWei: 0n, tombstoned: false, offeredGib: 0, owner: ZERO_ADDRESS, region: 0, endpoint: '',
  };
  p.nodes.set(node, { ...view, ...change });
}

function addStake(p: Projection, node: Address, deltaWei: bigint): void {
  const stake = (p.nodes.get(node)?.activeStakeWei ?? 0n) + deltaWei;
  changeNode(p, node, { activeStakeWei: stake < 0n ? 0n : stake });
}
