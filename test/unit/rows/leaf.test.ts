import { createHash } from 'node:crypto';
import { expect } from 'chai';
import {
  contentHashOf, keyHashOf, leafChangesOf, noncePath, nonceLeafOf, pathOf, put, remove, rowHashOf, schemaPath, type EntryRef,
} from '../../../protocol/rows/index.ts';
import { bytesOf, hexOf, wordOf, ZERO_HASH, type Timestamp } from '../../../protocol/types/index.ts';
import { owner, World } from './world.ts';

const sha = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
const entry: EntryRef = { entryId: `0x${'ee'.repeat(32)}` as EntryRef['entryId'], ts: 5n as Timestamp };

describe('rows: leaves', () => {
  it('rowHash commits to version, timestamp, key and content, 64 bytes at a time', () => {
    const key = sha(Uint8Array.of(0x81, 0x07)); // CBOR [7]
    const content = sha(Uint8Array.of(0x82, 0x07, 0x63, 0x61, 0x64, 0x61)); // CBOR [7, "ada"]
    expect(keyHashOf([7n])).to.equal(hexOf(key));
    expect(contentHashOf([7n, 'ada'])).to.equal(hexOf(content));
    const expected = sha(sha(bytesOf(entry.entryId), wordOf(5n)), sha(key, content));
    expect(rowHashOf(entry, keyHashOf([7n]), contentHashOf([7n, 'ada']))).to.equal(hexOf(expected));
  });

  it('an integer and the real of the same value have different hashes', () => {
    expect(contentHashOf([1n])).to.not.equal(contentHashOf([1]));
    expect(contentHashOf([-0])).to.equal(contentHashOf([0]));
  });

  it('a write changes the row, its index entries and the nonce; an update only what it moves', () => {
    const world = World.with('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INTEGER); CREATE INDEX by_n ON t (n)');
    const at = (index: string, key: (bigint | string)[]): string => pathOf(world.database, 't', index, key);
    const changed = (mutations: Parameters<World['sign']>[0]): Record<string, boolean> => {
      const tx = world.sign(mutations);
      const leaves = leafChangesOf(world.schema, tx, world.before, entry);
      world.apply(tx);
      return Object.fromEntries(leaves.map(({ path, rowHash }) => [path, rowHash !== null]));
    };
    const nonce = (): string => noncePath(world.database, owner, world.nonce);
    expect(changed([put('t', [1n], [1n, 'a', 5n])])).to.deep.equal({
      [at('', [1n])]: true, [at('unique:name', ['a'])]: true, [at('by_n', [5n, 1n])]: true, [nonce()]: true,
    });
    expect(changed([put('t', [1n], [1n, 'b', 5n])])).to.deep.equal({
      [at('', [1n])]: true, [at('unique:name', ['a'])]: false, [at('unique:name', ['b'])]: true, [nonce()]: true,
    });
    expect(changed([remove('t', [1n])])).to.deep.equal({
      [at('', [1n])]: false, [at('unique:name', ['b'])]: false, [at('by_n', [5n, 1n])]: false, [nonce()]: true,
    });
  });

  it('an aborted entry still leaves its nonce, with no content', () => {
    const world = World.with('CREATE TABLE t (id INTEGER PRIMARY KEY)');
    const { header } = world.sign([put('t', [1n], [1n])]);
    const key = keyHashOf([bytesOf(owner), header.nonce]);
    const path = noncePath(world.database, owner, header.nonce);
    expect(nonceLeafOf(header, entry)).to.deep.equal({ path, rowHash: rowHashOf(entry, key, ZERO_HASH) });
  });

  it('creating a database writes its metadata under its own name as content hash', () => {
    const world = World.with('CREATE TABLE t (id INTEGER PRIMARY KEY)');
    const stored = [...world.leaves.values()].find(({ ref }) => ref.table === '_database');
    expect(contentHashOf(stored?.content ?? [])).to.equal(world.database);
    expect(world.leaves.has(schemaPath(world.database))).to.equal(true);
  });
});
