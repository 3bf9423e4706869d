import { expect } from 'chai';
import { decode, digestOf, encode } from '../../../protocol/codec/index.ts';
import { installCrypto, pureCrypto, signDigest } from '../../../protocol/crypto/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import {
  batchOf, contentHashOf, decodeTransaction, encodeTransaction, entryIdOf, isVouchedFor, keyHashOf, packWriterSignature, pathOf, put, rowHashOf,
  rowProofC, rowProofOf, signTransactions, txIdOf, unpackWriterSignature, verifyRowProof, verifyTransaction, writerSignatureC,
  type BatchSignature, type RowProof, type SignedTransaction,
} from '../../../protocol/rows/index.ts';
import type { Hash32, Signature, Timestamp } from '../../../protocol/types/index.ts';
import { domain, owner, ownerKey, strangerKey, World } from './world.ts';

const world = World.with('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)');
const fresh = (): typeof domain => ({ ...domain }); // nothing is remembered under it
const shareIn = (tx: SignedTransaction): BatchSignature => tx.signature as BatchSignature;
const verdict = (tx: SignedTransaction, under = fresh()): string => {
  const result = verifyTransaction(under, tx);
  return result === 'valid' ? result : result.fault.code;
};

function signed(count: number, key = ownerKey): SignedTransaction[] {
  const drafts = Array.from({ length: count }, (_, i) => world.sign([put('t', [BigInt(i)], [BigInt(i), `row ${i}`])]));
  return signTransactions(domain, drafts, key);
}

/** How often a signature is recovered while `work` runs. */
function recoveriesIn(work: () => void): number {
  let times = 0;
  const before = installCrypto({ ...pureCrypto, recover: (...args) => (times += 1, pureCrypto.recover(...args)) });
  try {
    work();
  } finally {
    installCrypto(before);
  }
  return times;
}

describe('rows: one signature for many transactions', () => {
  it('P-6-signed-ops: every transaction of a batch is valid alone, for every size of a batch', () => {
    for (const count of [1, 2, 3, 7, 8, 33, limits.transactionsPerSignature]) {
      const batch = signed(count);
      expect(batch.map((tx) => verdict(tx)), `${count}`).to.deep.equal(batch.map(() => 'valid'));
      expect(new Set(batch.map((tx) => shareIn(tx).signature)).size).to.equal(1);
      expect(shareIn(batch[0] as SignedTransaction).siblings.length).to.be.at.most(7);
    }
  });

  it('the name of a transaction does not depend on how it was signed', () => {
    const [tx] = signed(5) as [SignedTransaction];
    const alone = { ...tx, signature: signDigest(txIdOf(domain, tx.header), ownerKey) };
    expect(verdict(alone)).to.equal('valid');
    expect(txIdOf(domain, alone.header)).to.equal(txIdOf(domain, tx.header));
  });

  it('a signature of a batch is none of a transaction, nor the reverse', () => {
    const [tx] = signed(3) as [SignedTransaction];
    expect(verdict({ ...tx, signature: shareIn(tx).signature })).to.equal('TX_BAD_SIGNATURE');
    const own = signDigest(txIdOf(domain, tx.header), ownerKey);
    expect(verdict({ ...tx, signature: { ...shareIn(tx), signature: own } })).to.equal('TX_BAD_SIGNATURE');
  });

  it('every field of a share is checked: place, number, expiry, way, signature', () => {
    const batch = signed(5);
    const tx = batch[4] as SignedTransaction;
    const good = shareIn(tx);
    const zero = `0x${'00'.repeat(32)}` as Hash32;
    const bent: Partial<BatchSignature>[] = [
      { index: 3 }, { index: 5 }, { count: 4 }, { count: 6 }, { count: 0 }, { count: 65 }, { count: 3 }, { notAfter: (good.notAfter - 1n) as Timestamp },
      { siblings: good.siblings.slice(1) }, { siblings: [...good.siblings, zero] }, { siblings: good.siblings.toReversed() },
      { signature: `0x${'01'.repeat(65)}` as Signature },
    ];
    for (const change of bent) expect(verdict({ ...tx, signature: { ...good, ...change } }), JSON.stringify(Object.keys(change))).to.equal('TX_BAD_SIGNATURE');
    expect(verdict({ ...tx, signature: (batch[1] as SignedTransaction).signature })).to.equal('TX_BAD_SIGNATURE');
    expect(verdict({ ...tx, header: { ...tx.header, snapshot: 5n } })).to.equal('TX_BAD_SIGNATURE');
    expect(verdict(tx, { ...domain, chainId: 1n })).to.equal('TX_BAD_SIGNATURE');
    expect(signed(2, strangerKey).map((other) => verdict(other))).to.deep.equal(['TX_BAD_SIGNATURE', 'TX_BAD_SIGNATURE']);
  });

  it('a remembered batch lets nothing pass that was not in it', () => {
    const batch = signed(4);
    const under = fresh();
    for (const tx of batch) expect(verdict(tx, under)).to.equal('valid');
    const foreign = world.sign([put('t', [9n], [9n, 'foreign'])]);
    for (const tx of batch) expect(verdict({ ...foreign, signature: tx.signature }, under)).to.equal('TX_BAD_SIGNATURE');
    const other = signDigest(digestOf(domain, 'TxBatch', batchOf(owner, [{ id: txIdOf(domain, foreign.header), notAfter: 1n }]).value), strangerKey);
    expect(verdict({ ...batch[0]!, signature: { ...shareIn(batch[0]!), signature: other } }, under)).to.equal('TX_BAD_SIGNATURE');
  });

  it('no transaction outlives its batch', () => {
    const drafts = [world.sign([put('t', [1n], [1n, 'a'])]), world.sign([put('t', [2n], [2n, 'b'])])];
    const ids = drafts.map(({ header }) => ({ id: txIdOf(domain, header), notAfter: 5n }));
    const batch = batchOf(owner, ids);
    const shares = batch.shares(signDigest(digestOf(domain, 'TxBatch', batch.value), ownerKey));
    expect(verdict({ ...drafts[0]!, signature: shares[0]! })).to.equal('TX_BEYOND_BATCH');
  });

  it('a batch costs one recovery, however many transactions and however often', () => {
    const batch = signed(16);
    const under = fresh();
    expect(recoveriesIn(() => [...batch, ...batch].forEach((tx) => verdict(tx, under)))).to.equal(1);
    const false_ = batch.map((tx) => ({ ...tx, signature: { ...shareIn(tx), notAfter: 1n as Timestamp } }));
    expect(recoveriesIn(() => false_.forEach((tx) => verdict(tx, under)))).to.equal(16); // what fails is not remembered
  });

  it('P-6.1-row-sig: a row leads through its transaction and the batch to the writer', () => {
    const ts = 99n as Timestamp;
    for (const tx of signed(6)) {
      const [mutation] = tx.body.mutations as unknown as [{ key: readonly bigint[] }];
      const path = pathOf(world.database, 't', '', mutation.key);
      const id = mutation.key[0] as bigint;
      const rowHash = rowHashOf({ entryId: entryIdOf(txIdOf(domain, tx.header), ts, tx.header.footprintRoot), ts }, keyHashOf([id]), contentHashOf([id, `row ${id}`]));
      const proof = decode(rowProofC, encode(rowProofC, rowProofOf(tx, ts, path) as RowProof));
      expect(verifyRowProof(fresh(), path, rowHash, proof)).to.include({ writer: owner, ts });
      const moved = { ...proof, signature: { ...shareIn(tx), index: (shareIn(tx).index + 1) % 6 } };
      expect(() => verifyRowProof(fresh(), path, rowHash, moved)).to.throw().with.property('code', 'TX_BAD_SIGNATURE');
    }
  });

  it('both forms have one encoding, and one packed form for evidence', () => {
    const [tx] = signed(5) as [SignedTransaction];
    const own = signDigest(txIdOf(domain, tx.header), ownerKey);
    for (const signature of [tx.signature, own]) {
      const whole = { ...tx, signature };
      expect(decodeTransaction(encodeTransaction(whole))).to.deep.equal(whole);
      const packed = packWriterSignature(signature);
      expect(unpackWriterSignature(packed)).to.deep.equal(signature);
      expect(unpackWriterSignature(packed.subarray(1))).to.equal(undefined);
      expect(isVouchedFor(fresh(), txIdOf(domain, tx.header), owner, unpackWriterSignature(packed)!)).to.equal(true);
    }
    const tall = { ...shareIn(tx), siblings: Array.from({ length: 7 }, () => `0x${'00'.repeat(32)}` as Hash32) };
    expect(() => decode(writerSignatureC, encode(writerSignatureC, tall))).to.throw().with.property('code', 'CODEC_WRONG_SHAPE');
  });
});
