import { xchacha20poly1305 } from '@noble/ciphers/chacha.js';
import { decode, encode, hash32, list, record, scalar, text, type Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { concatBytes, type Hash32 } from '../types/index.ts';
import { marketFaults } from './faults.ts';
import type { DataKey } from './keys.ts';

/** Where a cell stands. It is bound into the ciphertext, so a cell moved to another row or column does not open. */
export interface CellPlace {
  readonly database: Hash32;
  readonly table: string;
  readonly column: string;
  /** Primary key of the row. */
  readonly key: readonly Scalar[];
}

export const NONCE_BYTES = 24;
const TAG_BYTES = 16;

const placeC = record({
  database: hash32, table: text(limits.identifierBytes), column: text(limits.identifierBytes), key: list(scalar, limits.columnsPerTable),
});

/**
 * Encrypts one value for a BLOB column: nonce(24) ‖ XChaCha20-Poly1305 of its canonical CBOR (P-5.4.3-cca2: a changed
 * ciphertext is refused, never opened to something else).
 * @param nonce 24 fresh random bytes
 */
export function sealCell(key: DataKey, place: CellPlace, value: Scalar, nonce: Uint8Array): Uint8Array {
  const cipher = xchacha20poly1305(key, nonce, encode(placeC, place));
  return concatBytes(nonce, cipher.encrypt(encode(scalar, value)));
}

/** The value of a sealed cell. @throws MARKET_ALTERED_CELL */
export function openCell(key: DataKey, place: CellPlace, sealed: Uint8Array): Scalar {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw marketFaults.alteredCell({ bytes: sealed.length });
  const cipher = xchacha20poly1305(key, sealed.subarray(0, NONCE_BYTES), encode(placeC, place));
  try {
    return decode(scalar, cipher.decrypt(sealed.subarray(NONCE_BYTES)), limits.rowBytes);
  } catch (error) {
    throw marketFaults.alteredCell({ table: place.table, column: place.column }, error);
  }
}
