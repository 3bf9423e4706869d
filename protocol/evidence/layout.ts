import { bytesOf, concatBytes, hexOf, uintBytes, type Address, type Hash32, type Hex, type Signature } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';

/** Both directions of one packed value: the encoder and the decoder cannot disagree. */
export interface Field<T> {
  write(value: T, out: Uint8Array[]): void;
  read(from: Reader): T;
}

export class Reader {
  readonly data: Uint8Array;
  at = 0;

  constructor(data: Uint8Array) {
    this.data = data;
  }

  take(length: number): Uint8Array {
    if (this.at + length > this.data.length) throw evidenceFaults.malformed({ at: this.at, needed: length, length: this.data.length });
    this.at += length;
    return this.data.subarray(this.at - length, this.at);
  }

  get left(): number {
    return this.data.length - this.at;
  }

  finish(): void {
    if (this.at !== this.data.length) throw evidenceFaults.malformed({ read: this.at, length: this.data.length });
  }
}

const fixed = <T extends Hex>(length: number): Field<T> => ({
  write(value, out) {
    const bytes = bytesOf(value);
    if (bytes.length !== length) throw evidenceFaults.notPackable({ bytes: bytes.length, width: length });
    out.push(bytes);
  },
  read: (from) => hexOf(from.take(length)) as T,
});

export const hash: Field<Hash32> = fixed<Hash32>(32);
export const account: Field<Address> = fixed<Address>(20);
export const bytes = (length: number): Field<Hex> => fixed<Hex>(length);

/** A row's writer signature in its packed form: 65 bytes, or 86 and 32 per level of its batch; the last byte of the 86 says how many. */
export const writerSignature: Field<Hex> = {
  write: (value, out) => out.push(bytesOf(value)),
  read(from) {
    const [own, batch] = [65, 86];
    if (from.left === own) return hexOf(from.take(own));
    const head = from.take(batch);
    return hexOf(concatBytes(head, from.take(32 * (head[batch - 1] as number))));
  },
};

/** Unsigned, big-endian, `length` bytes. */
export const wide = (length: number): Field<bigint> => ({
  write(value, out) {
    if (value < 0n || value >= 1n << BigInt(8 * length)) throw evidenceFaults.notPackable({ value, width: length });
    out.push(uintBytes(value, length));
  },
  read: (from) => BigInt(hexOf(from.take(length))),
});

/** The same for what is a number in TypeScript, at most 4 bytes. */
export const small = (length: number): Field<number> => ({
  write: (value, out) => wide(length).write(BigInt(value), out),
  read: (from) => Number(wide(length).read(from)),
});

const PARITY = 1n << 255n;

/** 64 bytes r ‖ yParityAndS (ERC-2098): a byte and 40 gas less than r ‖ s ‖ v. */
export const compact: Field<Signature> = {
  write(value, out) {
    const bytes = bytesOf(value);
    const v = bytes[64];
    if (bytes.length !== 65 || (v !== 27 && v !== 28) || (bytes[32] as number) >= 0x80) throw evidenceFaults.badSignature({ signature: value });
    const packed = bytes.slice(0, 64);
    packed[32] = (packed[32] as number) | (v === 28 ? 0x80 : 0);
    out.push(packed);
  },
  read(from) {
    const r = hexOf(from.take(32)).slice(2);
    const word = BigInt(hexOf(from.take(32)));
    const s = (word % PARITY).toString(16).padStart(64, '0');
    return `0x${r}${s}${word >= PARITY ? '1c' : '1b'}` as Signature;
  },
};

/** A count of `width` bytes, then that many items. */
export const counted = <T>(item: Field<T>, width = 1): Field<readonly T[]> => ({
  write(values, out) {
    small(width).write(values.length, out);
    for (const value of values) item.write(value, out);
  },
  read(from) {
    const length = small(width).read(from);
    return Array.from({ length }, () => item.read(from));
  },
});

type Fields = Readonly<Record<string, Field<any>>>;
type Packed<F extends Fields> = { readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };

/** Fields one after the other, in the order of declaration. */
export function sequence<F extends Fields>(fields: F): Field<Packed<F>> {
  const entries = Object.entries(fields);
  return {
    write(value, out) {
      for (const [name, field] of entries) field.write((value as Record<string, unknown>)[name], out);
    },
    read: (from) => Object.fromEntries(entries.map(([name, field]) => [name, field.read(from)])) as Packed<F>,
  };
}

type Bodies = Readonly<Record<string, Field<any>>>;
type Form<B extends Bodies> = { readonly [K in keyof B]: { readonly kind: K } & (B[K] extends Field<infer T> ? T : never) }[keyof B];

/** A byte for the form (place in `bodies`), what all forms share, then the form's own body. */
export function tagged<C extends object, B extends Bodies>(common: Field<C>, bodies: B): Field<{ readonly common: C; readonly form: Form<B> }> {
  const names = Object.keys(bodies);
  return {
    write(value, out) {
      small(1).write(names.indexOf(value.form.kind as string), out);
      common.write(value.common, out);
      (bodies[value.form.kind as string] as Field<unknown>).write(value.form, out);
    },
    read(from) {
      const kind = names[small(1).read(from)];
      if (kind === undefined) throw evidenceFaults.malformed({ at: from.at });
      const shared = common.read(from);
      return { common: shared, form: { kind, ...(bodies[kind] as Field<object>).read(from) } as Form<B> };
    },
  };
}

export type Unpacked<F> = F extends Field<infer T> ? T : never;
