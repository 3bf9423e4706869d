import { expect } from 'chai';
import { signStruct, type StructName, type StructValue } from '../../../protocol/codec/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { decodeTransaction, isVouchedFor, txIdOf, type SignedTransaction, type TransactionHeader, type WriterSignature } from '../../../protocol/rows/index.ts';
import { hexOf, ZERO_HASH, type Address, type Signature } from '../../../protocol/types/index.ts';
import { connect } from '../../../sdk/index.ts';
import type { Wallet } from '../../../sdk/keys/wallet.ts';
import { BatchSigner } from '../../../sdk/write/batch-signer.ts';
import { listen } from './nodes.ts';
import { World } from './world.ts';

const domain = { chainId: 31337n, verifyingContract: `0x${'22'.repeat(20)}` as Address };
const key = new Uint8Array(32).fill(0x51);
const writer = addressOf(key);

const headerOf = (nonce: number): TransactionHeader => ({
  database: ZERO_HASH, writer, nonce: BigInt(nonce), schemaVersion: 1, snapshot: 0n as never, notAfter: BigInt(nonce + 1) as never, mutationsRoot: ZERO_HASH,
  footprintRoot: ZERO_HASH, backpointers: ZERO_HASH,
});

/** A wallet that counts what it is asked, and answers when it is told to. */
class SlowWallet implements Wallet {
  readonly address = writer;
  readonly asked: StructName[] = [];
  private readonly answers: ((fails: boolean) => void)[] = [];
  private readonly slow: boolean;

  constructor(slow: boolean) {
    this.slow = slow;
  }

  async sign<N extends StructName>(under: typeof domain, name: N, value: StructValue<N>): Promise<Signature> {
    this.asked.push(name);
    const fails = this.slow && await new Promise<boolean>((resolve) => this.answers.push(resolve));
    if (fails) throw new Error('the user said no');
    return signStruct(under, name, value, key);
  }

  async answer(fails = false): Promise<void> {
    await settled();
    this.answers.shift()?.(fails);
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const expectValid = (signatures: readonly WriterSignature[], nonces: readonly number[]): void => {
  expect(signatures.map((signature, i) => isVouchedFor({ ...domain }, txIdOf(domain, headerOf(nonces[i] as number)), writer, signature)))
    .to.deep.equal(nonces.map(() => true));
};

describe('sdk: transactions that are committed together share a signature', () => {
  it('a transaction that is alone has its own, without waiting for anything', async () => {
    const wallet = new SlowWallet(false);
    const signer = new BatchSigner(domain, wallet);
    const signature = await signer.preparing(async () => signer.sign(headerOf(1)));
    expect(signature).to.be.a('string');
    expectValid([signature, await signer.sign(headerOf(2))], [1, 2]);
    expect(wallet.asked).to.deep.equal(['Transaction', 'Transaction']);
  });

  it('those of one moment share one; more than a batch holds are several', async () => {
    const wallet = new SlowWallet(false);
    const signer = new BatchSigner(domain, wallet);
    const nonces = Array.from({ length: limits.transactionsPerSignature + 6 }, (_, i) => i);
    const prepared = nonces.map((nonce) => signer.preparing(async () => {
      await settled(); // each reads something first
      return signer.sign(headerOf(nonce));
    }));
    expectValid(await Promise.all(prepared), nonces);
    expect(wallet.asked).to.deep.equal(['TxBatch', 'TxBatch']);
  });

  it('one that takes long to prepare holds up nobody beyond the window, and one that is given up nobody at all', async () => {
    const wallet = new SlowWallet(false);
    const signer = new BatchSigner(domain, wallet);
    const never = signer.preparing(() => new Promise(() => undefined));
    const ready = [1, 2].map((nonce) => signer.preparing(() => signer.sign(headerOf(nonce))));
    expectValid(await Promise.all(ready), [1, 2]);
    expect(wallet.asked).to.deep.equal(['TxBatch']);
    const failed = signer.preparing(async () => { throw new Error('no such row'); }).catch((error: Error) => error.message);
    expect(await failed).to.equal('no such row');
    void never;
  });

  it('what comes while the wallet asks its user goes into its next question', async () => {
    const wallet = new SlowWallet(true);
    const signer = new BatchSigner(domain, wallet);
    const first = signer.sign(headerOf(1));
    await settled();
    const rest = [2, 3, 4].map((nonce) => signer.sign(headerOf(nonce)));
    await wallet.answer();
    await wallet.answer();
    expectValid([await first, ...await Promise.all(rest)], [1, 2, 3, 4]);
    expect(wallet.asked).to.deep.equal(['Transaction', 'TxBatch']);
  });

  it('a refusal of the user is a refusal of what was asked, and of nothing else', async () => {
    const wallet = new SlowWallet(true);
    const signer = new BatchSigner(domain, wallet);
    const refused = Promise.allSettled([1, 2].map((nonce) => signer.sign(headerOf(nonce))));
    await wallet.answer(true);
    expect((await refused).map(({ status }) => status)).to.deep.equal(['rejected', 'rejected']);
    const next = signer.sign(headerOf(3));
    await wallet.answer();
    expectValid([await next], [3]);
  });

  it('a program that writes many rows at once sends batches, and each row names its writer', async () => {
    const world = new World();
    const nodes = await listen(world);
    const sent: SignedTransaction[] = [];
    const picolo = await connect(nodes.urls, {
      wallet: hexOf(key),
      async fetch(url, init) {
        if (url.includes('/v1/tx')) sent.push(decodeTransaction(init.body as Uint8Array));
        return fetch(url, init);
      },
    });
    try {
      const db = await picolo.createDatabase({ name: 'batches', schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)' });
      await db.table('t').insert({ id: 0, name: 'alone' });
      await Promise.all(Array.from({ length: 12 }, (_, i) => db.table('t').insert({ id: i + 1, name: `row ${i}` })));
      const shared = sent.slice(-12).map(({ signature }) => signature);
      expect(sent.slice(0, -12).every(({ signature }) => typeof signature === 'string')).to.equal(true);
      expect(new Set(shared.map((signature) => (typeof signature === 'string' ? signature : signature.signature))).size).to.equal(1);
      for (const id of [0, 1, 7, 12]) expect((await db.get('t', id)).writer).to.equal(writer);
      expect((await db.challenge({ count: 8 })).verdicts.every(({ verdict }) => verdict === 'honest')).to.equal(true);
    } finally {
      await nodes.close();
    }
  });
});
