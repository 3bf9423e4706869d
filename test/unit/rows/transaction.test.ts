import { expect } from 'chai';
import { merklePath, rootOfPath } from '../../../protocol/crypto/index.ts';
import { encode } from '../../../protocol/codec/index.ts';
import {
  decodeTransaction, encodeTransaction, mutationC, put, remove, toCommand, txIdOf, verifyTransaction, type SignedTransaction,
} from '../../../protocol/rows/index.ts';
import { bytesOf, ZERO_HASH, type Hash32, type Signature } from '../../../protocol/types/index.ts';
import { domain, owner, stranger, World } from './world.ts';

const world = World.with('CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)');
const tx = world.sign([put('t', [1n], [1n, 'a']), put('t', [2n], [2n, null])]);
const verdict = (changed: SignedTransaction): string => {
  const result = verifyTransaction(domain, changed);
  return result === 'valid' ? result : result.fault.code;
};

describe('rows: signed transactions', () => {
  it('P-6-signed-ops: a signed transaction is valid; any other signature, writer or domain is not', () => {
    expect(verdict(tx)).to.equal('valid');
    expect(verdict({ ...tx, signature: `0x${'01'.repeat(65)}` as Signature })).to.equal('TX_BAD_SIGNATURE');
    const elsewhere = verifyTransaction({ ...domain, chainId: 1n }, tx);
    expect(elsewhere).to.have.nested.property('fault.code', 'TX_BAD_SIGNATURE');
    const stolen = { ...tx, header: { ...tx.header, writer: stranger } };
    expect(verdict(stolen)).to.equal('TX_BAD_NONCE_ITEM'); // the nonce key names its writer
  });

  it('every field of the header is under the signature', () => {
    const { header } = tx;
    const changed = [
      { ...header, schemaVersion: 9 }, { ...header, snapshot: 5n }, { ...header, notAfter: header.notAfter + 1n },
    ];
    for (const next of changed) expect(verdict({ ...tx, header: next })).to.equal('TX_BAD_SIGNATURE');
  });

  it('the body is the one that was signed', () => {
    const { body } = tx;
    expect(verdict({ ...tx, body: { ...body, mutations: [put('t', [1n], [1n, 'b']), body.mutations[1]!] } })).to.equal('TX_BAD_MUTATIONS_ROOT');
    expect(verdict({ ...tx, body: { ...body, mutations: [...body.mutations].reverse() } })).to.equal('TX_BAD_MUTATIONS_ROOT');
    expect(verdict({ ...tx, body: { ...body, backpointers: [`0x${'01'.repeat(32)}` as Hash32] } })).to.equal('TX_BAD_BACKPOINTERS');
    const moved = body.items.map((item, i) => (i === 0 ? { ...item, version: `0x${'05'.repeat(32)}` as Hash32 } : item));
    expect(verdict({ ...tx, body: { ...body, items: moved } })).to.be.oneOf(['TX_BAD_FOOTPRINT_ROOT', 'TX_BAD_NONCE_ITEM']);
  });

  it('refuses unordered or repeated items, no nonce item, no mutation, no time to live', () => {
    const { items } = tx.body;
    const withItems = (next: typeof items): string => verdict(world.sign(tx.body.mutations, { items: next, nonce: tx.header.nonce }));
    expect(withItems([...items].reverse())).to.equal('TX_ITEMS_UNORDERED');
    expect(withItems([items[0]!, ...items])).to.equal('TX_ITEMS_UNORDERED');
    for (let i = 0; i < items.length; i++) {
      const without = items.filter((_, at) => at !== i);
      expect(withItems(without)).to.be.oneOf(['valid', 'TX_BAD_NONCE_ITEM']);
    }
    expect(items.filter((_, i) => withItems(items.filter((__, at) => at !== i)) !== 'valid')).to.have.length(1);
    expect(verdict({ ...tx, body: { ...tx.body, mutations: [] } })).to.equal('TX_EMPTY');
    expect(verdict({ ...tx, header: { ...tx.header, notAfter: 0n } })).to.equal('TX_BAD_EXPIRY');
  });

  it('refuses more bytes than the limit', () => {
    expect(verifyTransaction(domain, tx, 2 ** 20 + 1)).to.have.nested.property('fault.code', 'TX_TOO_LARGE');
  });

  it('has one encoding, and it decodes to the same transaction', () => {
    const bytes = encodeTransaction(tx);
    expect(decodeTransaction(bytes)).to.deep.equal(tx);
    expect(() => decodeTransaction(bytes.subarray(1))).to.throw().with.property('code').that.matches(/^CODEC_/);
  });

  it('D-4.1-subrecord: every mutation is provable alone under one signature', () => {
    const leaves = tx.body.mutations.map((mutation) => encode(mutationC, mutation));
    leaves.forEach((leaf, i) => expect(rootOfPath(leaf, merklePath(leaves, i))).to.equal(tx.header.mutationsRoot));
    expect(rootOfPath(encode(mutationC, remove('t', [1n])), merklePath(leaves, 0))).to.not.equal(tx.header.mutationsRoot);
  });

  it('D-4.1-links-leaf: backpointers are signed; none is zero', () => {
    expect(tx.header.backpointers).to.equal(ZERO_HASH);
    const earlier = [`0x${'0a'.repeat(32)}`, `0x${'0b'.repeat(32)}`, `0x${'0c'.repeat(32)}`] as Hash32[];
    const linked = world.sign(tx.body.mutations, { items: tx.body.items, nonce: tx.header.nonce, backpointers: earlier });
    expect(verdict(linked)).to.equal('valid');
    const leaves = earlier.map(bytesOf);
    earlier.forEach((link, i) => expect(rootOfPath(bytesOf(link), merklePath(leaves, i))).to.equal(linked.header.backpointers));
  });

  it('becomes a command that carries its footprint; schema changes are classic only', () => {
    const command = toCommand(domain, tx);
    expect(command).to.include({ id: txIdOf(domain, tx.header), client: owner, classicOnly: false, footprintRoot: tx.header.footprintRoot });
    expect(command.items).to.equal(tx.body.items);
    expect(toCommand(domain, new World().sign([put('_schema', [], [1n])], { items: tx.body.items })).classicOnly).to.equal(true);
  });
});
