import { defineFaults, type FaultFacts } from '../errors/index.ts';
import { limits } from '../limits/index.ts';

const faults = defineFaults('ACCESS', {
  badConfig: ['an access level setting is out of range', 'probabilities lie in (0, 1], half-lives and the prior above 0'],
});

/** Inputs of a quality function: rows (fading counts) that were verified, and that were not. */
export interface QualityFacts {
  readonly goodRows: number;
  readonly badRows: number;
}

export interface AccessConfig {
  /** The minimum access level all nodes have, in (0, 1]. */
  readonly epsilon: number;
  /** Highest floor that a deposit can buy, in [epsilon, 1]. */
  readonly depositCap: number;
  readonly halfLifeMs: number;
  readonly depositHalfLifeMs: number;
  /** GETs served after which half of a deposit's boost is used up. */
  readonly depositHalfLifeServed: number;
  /** Where the reply and forward counts start. */
  readonly prior: number;
  /** Each node decides what good results are to it: the result is kept inside (0, 1). */
  readonly quality: (facts: QualityFacts) => number;
  /** Share of its duties a peer must do to count as cooperative or fair, and how many duties say anything. */
  readonly fairShare: number;
  readonly minDuties: number;
  /** The neighbourhood's best score is recomputed at least this often. */
  readonly refreshMs: number;
  readonly maxPeers: number;
}

export const defaultAccess: AccessConfig = Object.freeze({
  epsilon: 0.1,
  depositCap: 0.9,
  halfLifeMs: 6 * 3_600_000,
  depositHalfLifeMs: 24 * 3_600_000,
  depositHalfLifeServed: 1_000,
  prior: 1,
  quality: ({ goodRows, badRows }: QualityFacts) => (goodRows + 1) / (goodRows + badRows + 2),
  fairShare: 0.5,
  minDuties: 3,
  refreshMs: 1_000,
  maxPeers: limits.accessPeers,
});

/** Defaults with changes; throws ACCESS_BAD_CONFIG. */
export function accessConfig(changes: Partial<AccessConfig> = {}): AccessConfig {
  const config = { ...defaultAccess, ...changes };
  const need = (ok: boolean, facts: FaultFacts): void => {
    if (!ok) throw faults.badConfig(facts);
  };
  const { epsilon, depositCap, halfLifeMs, depositHalfLifeMs, depositHalfLifeServed, prior, maxPeers } = config;
  need(epsilon > 0 && epsilon <= 1, { epsilon });
  need(depositCap >= epsilon && depositCap <= 1, { depositCap });
  need(halfLifeMs > 0 && depositHalfLifeMs > 0 && depositHalfLifeServed > 0, { halfLifeMs, depositHalfLifeMs, depositHalfLifeServed });
  need(prior > 0, { prior });
  need(maxPeers >= 1 && maxPeers <= limits.accessPeers, { maxPeers });
  return config;
}
