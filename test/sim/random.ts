/** One 64-bit seed, separate streams: changing one kind of choice does not reshuffle the others. */
export interface Random {
  /** In [0, 1). */
  unit(): number;
  /** Integer in [0, below). */
  int(below: number): number;
  chance(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** Mostly near `typical`, sometimes many times as much. */
  delay(typical: number): number;
}

const MASK = (1n << 64n) - 1n;

/** SplitMix64 seeds, xoshiro-like mixing on 32 bits: fast, and the same on every machine. */
export function stream(seed: bigint, name: string): Random {
  let mixed = seed & MASK;
  for (const char of name) mixed = splitmix(mixed ^ BigInt(char.codePointAt(0) ?? 0));
  let a = Number(mixed & 0xffffffffn);
  let b = Number((mixed >> 32n) & 0xffffffffn);
  let c = 0x9e3779b9;
  let d = 1;
  const next = (): number => {
    // sfc32
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) next();
  const unit = (): number => next() / 4294967296;
  const int = (below: number): number => Math.floor(unit() * below);
  return {
    unit, int,
    chance: (probability) => unit() < probability,
    pick: (list) => list[int(list.length)] as never,
    delay: (typical) => typical * (0.5 + unit()) * (unit() < 0.02 ? 1 + 10 * unit() : 1),
  };
}

function splitmix(seed: bigint): bigint {
  let z = (seed + 0x9e3779b97f4a7c15n) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** 128 bits of a text as 32 hex digits: quick, the same everywhere, and no secret. */
export function fingerprint(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  let c = 0x85ebca6b;
  let d = 0xc2b2ae35;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b ^ code, 0x5bd1e995) + a;
    c = Math.imul(c + code, 0x27d4eb2f) ^ b;
    d = Math.imul(d ^ code, 0x165667b1) + c;
  }
  return hex(a ^ (d >>> 15)) + hex(b ^ (a >>> 13)) + hex(c ^ (b >>> 16)) + hex(d ^ (c >>> 14));
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0');
}

/** A fingerprint of everything that happened, in order: two runs are the same when it is. */
export class RunHash {
  private a = 0x811c9dc5;
  private b = 0x9e3779b9;

  add(text: string): void {
    for (let i = 0; i < text.length; i++) {
      this.a = Math.imul(this.a ^ text.charCodeAt(i), 0x01000193);
      this.b = Math.imul(this.b + text.charCodeAt(i), 0x5bd1e995) ^ (this.a >>> 9);
    }
  }

  digest(): string {
    return hex(this.a) + hex(this.b);
  }
}
