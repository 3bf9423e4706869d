/**
 * What silence costs: the twin of contracts/libraries/DrainMath.sol, in the same integers (Picolo §6.2,
 * P-6.2-drain-formula). F = k * D / (t * l * R), each factor relative to a reference and clamped to [1/4, 4].
 */
const WAD = 10n ** 18n;
const GWEI = 10n ** 9n;

/** Rates in 1e-18 of the stake per hour, the cap in 1e-18 of the stake. */
export const drainBounds = { baseRate: 5n * 10n ** 14n, minRate: 5n * 10n ** 13n, maxRate: 5n * 10n ** 15n, maxPart: 3n * 10n ** 17n } as const;
export const drainReferences = { gib: 256n, uptimeSeconds: 90n * 86_400n, loadBps: 5_000n, rewardsWei: 1_000n * WAD } as const;

export type DrainInputs = { readonly [K in keyof typeof drainReferences]: bigint };

/** Part of the stake per hour, in 1e-18. */
export function drainRate({ gib, uptimeSeconds, loadBps, rewardsWei }: DrainInputs): bigint {
  const { baseRate, minRate, maxRate } = drainBounds;
  const size = (baseRate * factor(gib, drainReferences.gib)) / factor(uptimeSeconds, drainReferences.uptimeSeconds);
  const loaded = (size * WAD) / factor(loadBps, drainReferences.loadBps);
  return clamp((loaded * WAD) / factor(rewardsWei, drainReferences.rewardsWei), minRate, maxRate);
}

/** What a silence of so many seconds costs in all, in wei, rounded down to whole gwei. */
export function drainDue(stakeWei: bigint, ratePerHour: bigint, elapsedSeconds: bigint): bigint {
  const part = (ratePerHour * elapsedSeconds) / 3_600n;
  const amount = (stakeWei * (part < drainBounds.maxPart ? part : drainBounds.maxPart)) / WAD;
  return amount - (amount % GWEI);
}

function factor(value: bigint, unit: bigint): bigint {
  const most = 4n * unit;
  return clamp(((value < most ? value : most) * WAD) / unit, WAD / 4n, 4n * WAD);
}

function clamp(value: bigint, least: bigint, most: bigint): bigint {
  if (value < least) return least;
  return value > most ? most : value;
}
