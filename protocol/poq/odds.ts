import { poqFaults } from './faults.ts';

export interface Odds {
  /** Cells (or rows) that a challenge picks from. */
  readonly cells: number;
  /** How many of them are lost or altered. */
  readonly corrupted: number;
}

/** Chance that at least one of `challenges` independent challenges hits a corrupted cell. Throws POQ_ODDS. */
export function detectionProbability({ cells, corrupted }: Odds, challenges: number): number {
  return 1 - (1 - chance({ cells, corrupted })) ** challenges;
}

/** Challenges until a corrupted cell is hit, on average: cells / corrupted, whatever was asked before. */
export function expectedChallenges(odds: Odds): number {
  return 1 / chance(odds);
}

/**
 * Average time from the corruption of k of n cells to the first answer that shows it, in milliseconds.
 * `challengers` peers ask independently, each once per `intervalMs` (P-6.1-ppoq).
 */
export function expectedDetectionMs(odds: Odds & { readonly challengers: number; readonly intervalMs: number }): number {
  const { challengers, intervalMs } = odds;
  if (!(challengers > 0) || !(intervalMs > 0)) throw poqFaults.odds({ challengers, intervalMs });
  return (expectedChallenges(odds) * intervalMs) / challengers;
}

/** Challenges after which corruption has been found with at least this probability, 0 < probability < 1. */
export function challengesForProbability(odds: Odds, probability: number): number {
  if (!(probability > 0 && probability < 1)) throw poqFaults.odds({ probability });
  const miss = 1 - chance(odds);
  return miss === 0 ? 1 : Math.ceil(Math.log(1 - probability) / Math.log(miss));
}

function chance({ cells, corrupted }: Odds): number {
  if (!(corrupted > 0) || !(corrupted <= cells)) throw poqFaults.odds({ cells, corrupted });
  return corrupted / cells;
}
