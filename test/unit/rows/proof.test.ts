import { expect } from 'chai';
import { decode, encode } from '../../../protocol/codec/index.ts';
import {
  contentHashOf, entryIdOf, keyHashOf, mutationC, pathOf, put, remove, rowHashOf, rowProofC, rowProofOf, txIdOf, verifyRowProof,
  type RowProof, type SignedTransaction,
} from '../../../protocol/rows/index.ts';
import type { Hash32, Path, Timestamp } from '../../../protocol/types/index.ts';
import { domain, owner, stranger, strangerKey, World } from './world.ts';

const world = World.with('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)');
const path = pathOf(world.database, 't', '', [2n]);
const ts = 99n as Timestamp;

function hashOf(tx: SignedTransaction, row: [bigint, string]): Hash32 {
  const entryId = entryIdOf(txIdOf(domain, tx.header), ts, tx.header.footprintRoot);
  return rowHashOf({ entryId, ts }, keyHashOf([row[0]]), contentHashOf(row));
}

const tx = world.sign([1n, 2n, 3n, 4n, 5n].map((id) => put('t', [id], [id, `row ${id}`])));
const rowHash = hashOf(tx, [2n, 'row 2']);
const proof = rowProofOf(tx, ts, path) as RowProof;
const attempt = (changed: RowProof, at: Path = path, hash: Hash32 = rowHash) => () => verifyRowProof(domain, at, hash, changed);

describe('rows: provenance of a row', () => {
  it('P-6.1-row-sig: a leaf leads to the row and the writer who signed it, without the schema', () => {
    const proven = verifyRowProof(domain, path, rowHash, decode(rowProofC, encode(rowProofC, proof)));
    expect(proven).to.include({ table: 't', writer: owner, database: world.database, ts });
    expect(proven.row).to.deep.equal([2n, 'row 2']);
    expect(proven.entryId).to.equal(entryIdOf(txIdOf(domain, tx.header), ts, tx.header.footprintRoot));
  });

  it('P-6.1-row-sig: a partial update yields a valid new row signature, and the old one no longer fits', () => {
    world.apply(tx);
    const update = world.sign([put('t', [2n], [2n, 'changed'])]);
    const fresh = rowProofOf(update, ts, path) as RowProof;
    const freshHash = hashOf(update, [2n, 'changed']);
    expect(verifyRowProof(domain, path, freshHash, fresh).row).to.deep.equal([2n, 'changed']);
    expect(attempt(proof, path, freshHash)).to.throw().with.property('code', 'TX_BAD_PROOF');
  });

  it('nothing else passes: other row, path, time, header, signer, steps', () => {
    const forged = encode(mutationC, put('t', [2n], [2n, 'forged']));
    const other = rowProofOf(tx, ts, pathOf(world.database, 't', '', [3n])) as RowProof;
    const cases: [() => unknown, string][] = [
      [attempt({ ...proof, mutation: forged }), 'TX_BAD_PROOF'],
      [attempt({ ...proof, steps: proof.steps.slice(1) }), 'TX_BAD_PROOF'],
      [attempt({ ...proof, ts: 98n as Timestamp }), 'TX_BAD_PROOF'],
      [attempt(proof, pathOf(world.database, 't', '', [3n])), 'TX_BAD_PROOF'],
      [attempt(proof, path, `0x${'00'.repeat(32)}` as Hash32), 'TX_BAD_PROOF'],
      [attempt(other), 'TX_BAD_PROOF'],
      [attempt({ ...proof, header: { ...proof.header, nonce: 1000n } }), 'TX_BAD_SIGNATURE'],
      [attempt({ ...proof, header: { ...proof.header, writer: stranger } }), 'TX_BAD_SIGNATURE'],
      [attempt({ ...proof, mutation: Uint8Array.of(1) }), 'TX_BAD_PROOF'],
    ];
    for (const [run, code] of cases) expect(run).to.throw().with.property('code', code);
  });

  it('D-2.1-provenance: who signed garbage is named by the proof', () => {
    const open = new World({ ...world.metadata, writers: { kind: 'any' } });
    const bad = open.sign([put('t', [2n], [2n, 'row 2'])], { key: strangerKey, items: tx.body.items });
    const at = pathOf(open.database, 't', '', [2n]);
    expect(verifyRowProof(domain, at, hashOf(bad, [2n, 'row 2']), rowProofOf(bad, ts, at) as RowProof).writer).to.equal(stranger);
  });

  it('a removal proves no row', () => {
    expect(rowProofOf(world.sign([remove('t', [2n])]), ts, path)).to.equal(undefined);
  });
});
