/** Sets of small integers as unsigned integers: `accept` and `acked` are uint256 on the wire. */
export type Bitmap = bigint;

export const NO_BITS: Bitmap = 0n;

export function hasBit(bits: Bitmap, index: number): boolean {
  return ((bits >> BigInt(index)) & 1n) === 1n;
}

export function withBit(bits: Bitmap, index: number): Bitmap {
  return bits | (1n << BigInt(index));
}

/** True when no bit at or above `count` is set: stray bits would become votes (consensus §5, 12). */
export function fits(bits: Bitmap, count: number): boolean {
  return bits >> BigInt(count) === 0n;
}

export function bitsOf(bits: Bitmap): number[] {
  const out: number[] = [];
  for (let i = 0, rest = bits; rest !== 0n; i++, rest >>= 1n) if ((rest & 1n) === 1n) out.push(i);
  return out;
}
