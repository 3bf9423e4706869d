import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { bytesOf, hexOf, isHex, type Hash32, type Hex } from '../protocol/types/index.ts';
import { cliFaults } from './faults.ts';

/** What a seller or buyer must not lose and not show: kept in one file that only its owner can read. */
export interface MarketKeys {
  /** Seller: the key of the data, and the secret of deliveries. */
  readonly dataKey?: Hex;
  readonly secret?: Hex;
  /** Buyer: one-time secrets by purchase. */
  readonly purchases: Readonly<Record<Hash32, Hex>>;
}

const fresh = (): Hex => hexOf(crypto.getRandomValues(new Uint8Array(32)));

/** Reads the file; an empty record when there is none. CLI_BAD_OPTION for another kind of file. */
export function readMarketKeys(path: string): MarketKeys {
  if (!existsSync(path)) return { purchases: {} };
  try {
    const raw = JSON.parse(readFileSync(path, 'utf8')) as Partial<MarketKeys>;
    for (const key of [raw.dataKey, raw.secret, ...Object.values(raw.purchases ?? {})]) {
      if (key !== undefined && !isHex(key, 32)) throw cliFaults.badOption({ option: '--keys', reason: 'a key has 32 bytes' });
    }
    return { purchases: {}, ...raw };
  } catch (error) {
    throw cliFaults.badOption({ option: '--keys', value: path, expected: 'a file of picolo market' }, error);
  }
}

function save(path: string, keys: MarketKeys): void {
  writeFileSync(path, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
}

/** The seller's keys; made at the first call. */
export function sellerKeys(path: string): { readonly dataKey: Uint8Array; readonly secret: Uint8Array } {
  const keys = readMarketKeys(path);
  const { dataKey = fresh(), secret = fresh() } = keys;
  if (keys.dataKey === undefined || keys.secret === undefined) save(path, { ...keys, dataKey, secret });
  return { dataKey: bytesOf(dataKey), secret: bytesOf(secret) };
}

/** A new one-time secret; saved under the purchase before any money moves. */
export function newOneTimeSecret(path: string, purchaseOf: (secret: Uint8Array) => Hash32): Uint8Array {
  const secret = fresh();
  const keys = readMarketKeys(path);
  save(path, { ...keys, purchases: { ...keys.purchases, [purchaseOf(bytesOf(secret))]: secret } });
  return bytesOf(secret);
}

/** The secret that a purchase was made with; CLI_BAD_OPTION when the file does not have it. */
export function oneTimeSecret(path: string, purchase: Hash32): Uint8Array {
  const secret = readMarketKeys(path).purchases[purchase];
  if (secret === undefined) throw cliFaults.badOption({ option: '--keys', value: path, expected: `the file that ${purchase} was bought with` });
  return bytesOf(secret);
}
