import type { Address } from '../types/index.ts';
import { accessConfig, type AccessConfig } from './config.ts';
import { boostOf, fade, newTally, qualityOf, record, scoreOf, type Observation, type Tally } from './tally.ts';

/** One node's view of its peers. Nothing outside this node writes to it (P-6.3.2-level-local). */
export interface Access {
  readonly config: AccessConfig;
  readonly peers: Map<Address, Tally>;
  /** Highest score in the neighbourhood, and when it was last computed over all peers. */
  best: number;
  bestAtMs: number;
}

/** 'unknown' until a peer had enough duties; then Definitions 6.3 and 6.4, or 'selfish' when neither holds. */
export type PeerClass = 'unknown' | 'selfish' | 'cooperative' | 'fair';

export interface PeerStanding {
  readonly peer: Address;
  readonly level: number;
  readonly floor: number;
  readonly replies: number;
  readonly forwards: number;
  readonly quality: number;
  readonly kind: PeerClass;
}

export function createAccess(changes: Partial<AccessConfig> = {}): Access {
  const config = accessConfig(changes);
  return { config, peers: new Map(), best: 0, bestAtMs: -Infinity };
}

/** Folds in what was seen of a peer that this node asked. The only way to raise or lower a level. */
export function observe(access: Access, peer: Address, seen: Observation, nowMs: number): void {
  const tally = tallyOf(access, peer, nowMs);
  record(tally, seen);
  access.best = Math.max(access.best, scoreOf(tally, access.config));
}

/** True until a peer's deposit was read from the contract, which its first GET asks for (§6.3.2). */
export function isNewcomer(access: Access, peer: Address): boolean {
  return access.peers.get(peer)?.depositRead !== true;
}

/**
 * Notes the deposit level in [0, 1] that the contract holds for a peer. Only what exceeds the highest
 * level seen before gives a new boost: the same deposit cannot be spent twice (decision 0030).
 */
export function noteDeposit(access: Access, peer: Address, level: number, nowMs: number): void {
  const tally = tallyOf(access, peer, nowMs);
  tally.depositRead = true;
  const bounded = Math.min(Math.max(Number.isFinite(level) ? level : 0, 0), 1);
  if (bounded <= tally.depositSeen) return;
  tally.boost = boostOf(tally, access.config, nowMs) + (bounded - tally.depositSeen);
  tally.depositSeen = bounded;
  tally.depositAtMs = nowMs;
  tally.served = 0;
}

/** Access level of a peer (Def. 6.2): the probability of being served or forwarded to, in [epsilon, 1]. */
export function levelOf(access: Access, peer: Address, nowMs: number): number {
  const tally = access.peers.get(peer) ?? newTally(nowMs);
  fade(tally, access.config, nowMs);
  const score = scoreOf(tally, access.config);
  const relative = score / Math.max(bestScore(access, nowMs), score);
  return Math.min(1, Math.max(relative, floorOf(access, tally, nowMs)));
}

/**
 * Decides one GET of a peer, or one forward to it, by a draw.
 * @param draw uniform in [0, 1), an input so that the core stays deterministic
 */
export function admit(access: Access, peer: Address, draw: number, nowMs: number): boolean {
  const served = draw < levelOf(access, peer, nowMs);
  if (served) tallyOf(access, peer, nowMs).served += 1;
  return served;
}

/** Draw for passing someone else's query on to a peer; uses up nothing of its deposit. */
export function forwardTo(access: Access, peer: Address, draw: number, nowMs: number): boolean {
  return draw < levelOf(access, peer, nowMs);
}

/** Definitions 6.3 and 6.4 from the duties seen so far (P-6.3.2-classify). */
export function classify(access: Access, peer: Address): PeerClass {
  const tally = access.peers.get(peer);
  const { minDuties, fairShare } = access.config;
  if (tally === undefined || tally.forwardsDue < minDuties) return 'unknown';
  if (tally.forwards < fairShare * tally.forwardsDue) return 'selfish';
  return tally.replies >= fairShare * tally.repliesDue ? 'fair' : 'cooperative';
}

/** Every known peer, for metrics and operators; it never leaves the node as a message. */
export function standings(access: Access, nowMs: number): PeerStanding[] {
  return [...access.peers.entries()].map(([peer, tally]) => ({
    peer,
    level: levelOf(access, peer, nowMs),
    floor: floorOf(access, tally, nowMs),
    replies: tally.replies,
    forwards: tally.forwards,
    quality: qualityOf(tally, access.config),
    kind: classify(access, peer),
  }));
}

function floorOf(access: Access, tally: Tally, nowMs: number): number {
  const { epsilon, depositCap } = access.config;
  return epsilon + (depositCap - epsilon) * boostOf(tally, access.config, nowMs);
}

/** With nobody to compare with, every peer is the best there is. */
function bestScore(access: Access, nowMs: number): number {
  if (nowMs - access.bestAtMs < access.config.refreshMs) return access.best;
  access.best = 0;
  for (const tally of access.peers.values()) {
    fade(tally, access.config, nowMs);
    access.best = Math.max(access.best, scoreOf(tally, access.config));
  }
  access.bestAtMs = nowMs;
  return access.best;
}

function tallyOf(access: Access, peer: Address, nowMs: number): Tally {
  let tally = access.peers.get(peer);
  if (tally === undefined) {
    if (access.peers.size >= access.config.maxPeers) forgetOne(access);
    tally = newTally(nowMs);
    access.peers.set(peer, tally);
  }
  fade(tally, access.config, nowMs);
  return tally;
}

/** Drops whom forgetting changes least: no deposit seen first (else it could be read anew), then least done, then longest silent. */
function forgetOne(access: Access): void {
  let worst: { peer: Address; tally: Tally } | undefined;
  for (const [peer, tally] of access.peers) if (worst === undefined || isLesser(tally, worst.tally)) worst = { peer, tally };
  if (worst !== undefined) access.peers.delete(worst.peer);
}

function isLesser(a: Tally, b: Tally): boolean {
  if (a.depositSeen !== b.depositSeen) return a.depositSeen < b.depositSeen;
  const doneA = a.replies + a.forwards;
  const doneB = b.replies + b.forwards;
  return doneA !== doneB ? doneA < doneB : a.atMs < b.atMs;
}
