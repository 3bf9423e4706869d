/**
 * Reads the "N passing", "N failing", "N pending" lines of Hardhat. Every runner prints its own and, when there were
 * several, the sum of them comes last: the last line of each word holds the total.
 */
export function readHardhatTotals(output: string): { passed: number; failed: number; skipped: number } | undefined {
  const last = (word: string): number => Number([...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, 'gm'))].at(-1)?.[1] ?? 0);
  const totals = { passed: last('passing'), failed: last('failing'), skipped: last('(?:pending|skipped)') };
  return totals.passed + totals.failed === 0 ? undefined : totals;
}
