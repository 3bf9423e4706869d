/** Bit `depth` of the 32-byte path that starts at byte `at`; bit 0 is the highest bit of the first byte. */
export function bitAt(bytes: Uint8Array, at: number, depth: number): number {
  return ((bytes[at + (depth >> 3)] as number) >> (7 - (depth & 7))) & 1;
}

/** Index of the first bit in which two 32-byte paths differ, 256 when they are equal. */
export function firstDifference(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < 32; i++) {
    const x = (a[aAt + i] as number) ^ (b[bAt + i] as number);
    if (x !== 0) return i * 8 + Math.clz32(x) - 24;
  }
  return 256;
}
