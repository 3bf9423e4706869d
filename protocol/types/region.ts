import { defineFaults } from '../errors/index.ts';

const faults = defineFaults('REGION', {
  unknown: ['no region has that name', 'choose one of the names listed in the facts'],
});

/** Regions that a provider declares and a cluster may ask for; the number is the bit in the mask. */
export const regions = [
  'eu-west', 'eu-central', 'eu-north', 'us-east', 'us-west', 'us-central', 'sa-east', 'af-south', 'me-central', 'ap-south', 'ap-east',
  'ap-northeast', 'ap-southeast', 'oceania',
] as const;
export type Region = (typeof regions)[number];

/** Index of a region (its bit); throws REGION_UNKNOWN. */
export function regionCode(name: string): number {
  const code = (regions as readonly string[]).indexOf(name);
  if (code < 0) throw faults.unknown({ name, known: regions.join(' ') });
  return code;
}

/** Mask of several regions; an empty list means anywhere (all bits). */
export function regionMask(names: readonly string[]): number {
  if (names.length === 0) return 0xffff;
  return names.reduce((mask, name) => mask | (1 << regionCode(name)), 0);
}
