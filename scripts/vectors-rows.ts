/**
 * Writes test/vectors/rows.json: ordered keys and paths, a database's name, row hashes, a signed transaction
 * with its roots, digest and bytes, and the proof of one of its rows. `--check` only compares.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { encode, structHash, type Scalar } from '../protocol/codec/index.ts';
import { addressOf } from '../protocol/crypto/index.ts';
import {
  buildTransaction, contentHashOf, databaseIdOf, databasePath, databaseRow, encodeTransaction, entryIdOf, footprintOf, itemBytes, keyHashOf,
  mutationC, noncePath, orderedKey, pathOf, put, remove, rowHashOf, rowProofOf, schemaPath, signTransaction, txIdOf, verifyRowProof,
  type Before, type DatabaseMetadata, type RowProof,
} from '../protocol/rows/index.ts';
import { schemaOf, schemaRow } from '../protocol/schema/index.ts';
import { hexOf, ZERO_HASH, type Address, type EntryId, type GroupId, type Hash32, type Timestamp } from '../protocol/types/index.ts';

const target = new URL('../test/vectors/rows.json', import.meta.url);
const privateKey = new Uint8Array(32).fill(7);
const writer = addressOf(privateKey);
const domain = { chainId: 31337n, verifyingContract: `0x${'22'.repeat(20)}` as Address };
const repeated = (byte: string): Hash32 => `0x${byte.repeat(32)}` as Hash32;
const metadata: DatabaseMetadata = {
  description: 'vectors', owner: writer, writers: { kind: 'list', addresses: [`0x${'44'.repeat(20)}` as Address] }, schemaPolicy: 'owner',
  readerKeys: '', createdMs: 1_700_000_000_000n, group: repeated('33') as GroupId,
};
const database = databaseIdOf(metadata);
const schema = schemaOf([
  'CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, balance REAL DEFAULT 0)',
  'CREATE TABLE move (account INTEGER REFERENCES account(id), at TIMESTAMP, note BLOB, PRIMARY KEY (account, at))',
]);

const keys: readonly (readonly Scalar[])[] = [
  [], [null], [0n], [7n], [-1n], [(1n << 63n) - 1n], [-(1n << 63n)], [0], [1.5], [-1.5], [5e-324], [''], ['ada'], ['a\u0000b'], ['\u00e9\u{1f600}'],
  [new Uint8Array(0)], [Uint8Array.of(0, 255)], [7n, 'ada'], [null, 7n], ['a longer text than twelve bytes', 1n],
];

/** Values with their SQL type, since JSON has one kind of number. */
function shown(value: Scalar): unknown {
  if (value === null) return { null: true };
  if (typeof value === 'bigint') return { integer: value.toString() };
  if (typeof value === 'number') return { real: String(value) };
  return typeof value === 'string' ? { text: value } : { blob: hexOf(value) };
}

function keyVectors(): unknown {
  return keys.map((key) => ({
    key: key.map(shown), ordered: hexOf(orderedKey(key)), keyHash: keyHashOf(key),
    path: pathOf(database, 'account', '', key), indexPath: pathOf(database, 'account', 'by_owner', key),
  }));
}

function rowVectors(): unknown {
  const rows: readonly (readonly Scalar[])[] = [[7n, 'ada', 0.5], [7n, 'ada', null], [1n], [1], [Uint8Array.of(1, 2, 3), -1n]];
  const entry = { entryId: repeated('ee') as EntryId, ts: ((1_700_000_000_000n << 48n) | 5n) as Timestamp };
  return rows.map((row) => {
    const key = row.slice(0, 1);
    const [keyHash, contentHash] = [keyHashOf(key), contentHashOf(row)];
    return { ...entry, key: key.map(shown), row: row.map(shown), keyHash, contentHash, rowHash: rowHashOf(entry, keyHash, contentHash) };
  });
}

function transactionVector(): unknown {
  const present = new Map<string, EntryId>([
    [schemaPath(database), repeated('51') as EntryId], [pathOf(database, 'account', '', [7n]), repeated('52') as EntryId],
    [pathOf(database, 'account', 'unique:owner', ['ada']), repeated('53') as EntryId],
  ]);
  const before: Before = { versionOf: ({ path }) => present.get(path) ?? ZERO_HASH, contentOf: () => [7n, 'ada', 0] };
  const mutations = [
    put('account', [7n], [7n, 'lovelace', 1.5]), put('account', [8n], [8n, 'ada', 0]),
    put('move', [7n, 1_700_000_000_000n], [7n, 1_700_000_000_000n, null]),
  ];
  const nonce = 41n;
  const items = footprintOf({ schema, database, writer, nonce, mutations, before });
  const snapshot = (1_700_000_000_000n << 48n) as Timestamp;
  const draft = buildTransaction({
    database, writer, nonce, schemaVersion: schema.version, snapshot, notAfter: (snapshot + (60_000n << 48n)) as Timestamp, mutations, items,
    backpointers: [repeated('0b')],
  });
  const tx = signTransaction(domain, draft, privateKey);
  const txId = txIdOf(domain, tx.header);
  const ts = (snapshot + (1n << 32n)) as Timestamp;
  const path = pathOf(database, 'account', '', [8n]);
  const proof = rowProofOf(tx, ts, path) as RowProof;
  const entryId = entryIdOf(txId, ts, tx.header.footprintRoot);
  const rowHash = rowHashOf({ entryId, ts }, keyHashOf([8n]), contentHashOf([8n, 'ada', 0]));
  verifyRowProof(domain, path, rowHash, proof);
  return {
    domain, privateKey: hexOf(privateKey), header: tx.header, structHash: structHash('Transaction', tx.header), digest: txId, signature: tx.signature,
    mutations: mutations.map((mutation) => hexOf(encode(mutationC, mutation))),
    items: items.map((item) => ({ ...item, bytes: hexOf(itemBytes(item)) })),
    encoded: hexOf(encodeTransaction(tx)), ts, entryId,
    rowProof: { path, rowHash, mutation: hexOf(proof.mutation), steps: proof.steps },
  };
}

export function rowsVectors(): string {
  const vectors = {
    format: {
      tableId: 'sha256("picolo/table" ‖ database ‖ table ‖ 0x00 ‖ index)',
      path: 'tableId[0..4) ‖ first 12 bytes of the ordered key, zero padded ‖ sha256(tableId ‖ ordered key)[0..16)',
      noncePath: 'the same with the ordered key = sha256(writer ‖ uint64 nonce), table _nonce',
      ordered: 'per value a tag (0 null, 1 integer, 2 real, 3 text, 4 blob), then 8 bytes or escaped bytes (00 becomes 00 ff) ended by 00',
      rowHash: 'sha256(sha256(entryId ‖ uint256 ts) ‖ sha256(keyHash ‖ contentHash))',
      keyHash: 'sha256(CBOR array of the values); a real is the array ["f", 8 bytes]',
      entryId: 'sha256(0x02 ‖ digest ‖ uint96 ts ‖ footprintRoot)',
      roots: 'leaf = sha256(0x00 ‖ bytes), node = sha256(0x01 ‖ left ‖ right), padded with zero words to a power of two',
    },
    database: {
      id: database, row: databaseRow(metadata).map(shown), schemaPath: schemaPath(database), databasePath: databasePath(database),
      nonces: [0n, 1n, (1n << 64n) - 1n].map((nonce) => ({ writer, nonce, path: noncePath(database, writer, nonce) })),
    },
    schemaRow: schemaRow(schema).map(shown),
    keys: keyVectors(),
    rows: rowVectors(),
    removal: hexOf(encode(mutationC, remove('account', [7n]))),
    transaction: transactionVector(),
  };
  return `${JSON.stringify(vectors, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part), 1)}\n`;
}

if (import.meta.main) {
  if (!process.argv.includes('--check')) writeFileSync(target, rowsVectors());
  else process.exitCode = readFileSync(target, 'utf8') === rowsVectors() ? 0 : 1;
}
