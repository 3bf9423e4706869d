/**
 * Fair cooperation (Picolo §6.3.2): each node counts, for itself, how often a peer replied, how often it
 * forwarded, and how good its results were. The product, relative to the best of the neighbourhood and
 * kept in [epsilon, 1], is the peer's access level: the probability that its queries are served and that
 * others' queries are passed on to it. No message can set a level; a deposit raises the floor for a while.
 *
 * @example
 *   const access = createAccess();
 *   if (isNewcomer(access, peer)) noteDeposit(access, peer, await depositLevel(peer), nowMs);
 *   if (!admit(access, peer, random(), nowMs)) refuse();
 *   observe(access, peer, { replied: true, forwarded: true, goodRows: 3, badRows: 0 }, nowMs);
 */
export { accessConfig, defaultAccess, type AccessConfig, type QualityFacts } from './config.ts';
export type { Observation } from './tally.ts';
export {
  admit, classify, createAccess, forwardTo, isNewcomer, levelOf, noteDeposit, observe, standings, type Access, type PeerClass,
  type PeerStanding,
} from './levels.ts';
