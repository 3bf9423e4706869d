/** Adds up the "N passing", "N failing", "N pending" lines that Hardhat prints per runner. */
export function readHardhatTotals(output: string): { passed: number; failed: number; skipped: number } | undefined {
  const sum = (word: string): number =>
    [...output.matchAll(new RegExp(`^\\s*(\\d+) ${word}`, 'gm'))].reduce((total, match) => total + Number(match[1]), 0);
  const totals = { passed: sum('passing'), failed: sum('failing'), skipped: sum('(?:pending|skipped)') };
  return totals.passed + totals.failed === 0 ? undefined : totals;
}
