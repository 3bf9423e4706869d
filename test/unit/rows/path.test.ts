import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { databasePath, noncePath, pathOf, schemaPath } from '../../../protocol/rows/index.ts';
import { bytesOf, hexOf, type Address, type DatabaseId } from '../../../protocol/types/index.ts';

const database = `0x${'11'.repeat(32)}` as DatabaseId;
const other = `0x${'12'.repeat(32)}` as DatabaseId;
const writer = `0x${'aa'.repeat(20)}` as Address;
const sha = (...parts: (Uint8Array | string)[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

describe('rows: paths', () => {
  it('is table hash ‖ 12 bytes of ordered key ‖ 16 bytes of hash', () => {
    const id = sha('picolo/table', bytesOf(database), 'account', Uint8Array.of(0), 'by_owner');
    const key = Uint8Array.of(3, 0x61, 0x64, 0x61, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 7); // 'ada', 7
    const expected = Buffer.concat([id.subarray(0, 4), key.subarray(0, 12), sha(id, key).subarray(0, 16)]);
    expect(pathOf(database, 'account', 'by_owner', ['ada', 7n])).to.equal(hexOf(expected));
  });

  it('databases, tables and indexes never share a path', () => {
    const paths = [
      pathOf(database, 't', '', [1n]), pathOf(other, 't', '', [1n]), pathOf(database, 'u', '', [1n]), pathOf(database, 't', 'i', [1n]),
      schemaPath(database), databasePath(database), noncePath(database, writer, 1n), noncePath(other, writer, 1n),
    ];
    expect(new Set(paths).size).to.equal(paths.length);
  });

  it('nonces of one writer spread over the tree', () => {
    const spread = Array.from({ length: 64 }, (_, i) => noncePath(database, writer, BigInt(i)).slice(10, 12));
    expect(new Set(spread).size).to.be.above(40);
  });

  it('a key beyond the limit is refused by name', () => {
    expect(() => pathOf(database, 't', '', ['x'.repeat(2000)])).to.throw(/table: t.*bytes: 2002/).with.property('code', 'ROW_KEY_TOO_LONG');
  });
});
