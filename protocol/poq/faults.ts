import { defineFaults } from '../errors/index.ts';

export const poqFaults = defineFaults('POQ', {
  rowCount: ['a checkpoint without rows, or with 2^64 of them, has no row to ask for', 'wait for a checkpoint with rows'],
  odds: ['a detection question needs 0 < corrupted <= cells and a positive rate', 'compare the numbers with docs/spec'],
  interval: ['the interval of challenges is not a positive whole number of milliseconds', 'set poq.interval_ms'],
  stranger: ['the challenger is no member of the group', 'challenge as a client instead'],
});
