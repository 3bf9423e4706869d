import { expect } from 'chai';
import {
  batchRootOf, blockHashOf, entriesRootOf, groupConfig, outcomeLeaf, verifierOf, verifyMessage, verifyReceipt,
  type BatchCert, type BlockHeader, type ClassicReceipt, type FastReceipt, type GroupConfig, type Message, type Verifier,
} from '../../../protocol/consensus/index.ts';
import { signStruct, type StructName, type StructValue } from '../../../protocol/codec/index.ts';
import { addressOf, merklePath, merkleRoot, sha256 } from '../../../protocol/crypto/index.ts';
import { bytesOf, ZERO_ADDRESS, ZERO_HASH, type Signature } from '../../../protocol/types/index.ts';
import { command, config as fake, entry, hash, NOTHING, ts } from './fixtures.ts';

const keys = [1, 2, 3, 4].map((i) => sha256(Uint8Array.of(i))).sort((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
const config: GroupConfig = groupConfig({ ...fake, domain: { chainId: 7n, verifyingContract: ZERO_ADDRESS }, roster: keys.map(addressOf) });
const verifier: Verifier = { ...verifierOf(config.domain), command: () => true };
const sign = <N extends StructName>(signer: number, name: N, value: StructValue<N>): Signature => signStruct(config.domain, name, value, keys[signer] as Uint8Array);
const { group, epoch } = config;
const entries = [entry(command('a', [['x', NOTHING, 'W']]), 10), entry(command('b', [['y', NOTHING, 'W']]), 11)];
const batchRoot = batchRootOf(entries.map(({ id }) => id));

function vote(signer: number, accept = 3n): BatchCert['votes'][number] {
  return { signer, accept, signature: sign(signer, 'FastVote', { group, epoch, view: 0n, batchRoot, accept }) };
}

const cert = (votes = [0, 1, 2].map((i) => vote(i))): BatchCert => ({ view: 0n, batchRoot, entryIds: entries.map(({ id }) => id), votes });
const ok = (message: Message, from = 0): boolean => verifyMessage(config, from, message, verifier);

describe('consensus: what is dropped before the state machine sees it', () => {
  it('P-5.2.1-message: a vote counts only from its signer, in its group and epoch', () => {
    const value = { group, epoch, view: 0n, batchRoot, accept: 1n };
    const good: Message = { kind: 'fastVote', value, signature: sign(0, 'FastVote', value) };
    expect(ok(good)).to.equal(true);
    expect(ok(good, 1)).to.equal(false);
    for (const other of [{ ...value, epoch: 2n }, { ...value, group: hash('other') as typeof group }]) {
      expect(ok({ ...good, value: other, signature: sign(0, 'FastVote', other) })).to.equal(false);
    }
    expect(ok({ ...good, value: { ...value, accept: 2n } })).to.equal(false);
  });

  it('a certificate with a stray bit, a doubled signer, a foreign root or a false signature is none', () => {
    const message = (of: BatchCert): Message => ({ kind: 'certificate', certs: [of], entries });
    expect(ok(message(cert()))).to.equal(true);
    expect(ok(message(cert([vote(0), vote(1), vote(2, 7n)]))), 'stray bit').to.equal(false);
    expect(ok(message(cert([vote(0), vote(0), vote(1)]))), 'doubled').to.equal(false);
    expect(ok(message({ ...cert(), batchRoot: hash('other') })), 'root').to.equal(false);
    expect(ok(message(cert([vote(0), vote(1), { ...vote(2), signer: 3 }]))), 'signature').to.equal(false);
  });

  it('a batch is exactly what its root names', () => {
    const value = { group, epoch, view: 0n, gateway: 0, seq: 1n, batchRoot, count: 2 };
    const good: Message = { kind: 'fastBatch', value, entries, signature: sign(0, 'FastBatch', value) };
    expect(ok(good)).to.equal(true);
    expect(ok({ ...good, entries: entries.slice(1) })).to.equal(false);
    expect(ok({ ...good, entries: [...entries].reverse() })).to.equal(false);
  });
});

describe('consensus: receipts prove themselves (P-5.2.1-reply)', () => {
  const first = entries[0] as (typeof entries)[number];

  function fast(signers: readonly number[], acked = 1n): FastReceipt {
    const acks = signers.map((signer) => {
      const body = { acked, ackSeq: 1n, ackHead: ZERO_HASH };
      return { signer, ...body, signature: sign(signer, 'FastAck', { group, epoch, view: 0n, batchRoot, ...body }) };
    });
    return {
      kind: 'fast', command: first.command.id, entry: first.id, ts: first.ts, footprintRoot: first.command.footprintRoot, view: 0n, batchRoot, index: 0,
      path: merklePath(entries.map(({ id }) => bytesOf(id)), 0), acks,
    };
  }

  function header(round: number, parent: BlockHeader | undefined, outcomeRoot = ZERO_HASH): BlockHeader {
    return {
      group, epoch, view: 0n, round, height: BigInt(round), parent: (parent === undefined ? ZERO_HASH : blockHashOf(parent)) as BlockHeader['parent'], kind: 'normal',
      closeTs: ts(0), maxTs: ts(11), count: 0, entriesRoot: entriesRootOf([]), effectsRoot: ZERO_HASH, outcomeRoot, tcRoot: ZERO_HASH, next: ZERO_HASH,
    };
  }

  function classic(childRound: number, signers: readonly number[]): ClassicReceipt {
    const leaves = entries.map(({ id }) => outcomeLeaf(id, 'aborted'));
    const b = header(2, undefined, merkleRoot(leaves));
    const child = header(childRound, b);
    const value = { group, epoch, view: 0n, round: childRound, blockHash: blockHashOf(child), qcView: 0n, qcRound: 2 };
    const votes = signers.map((signer) => ({ signer, qcView: 0n, qcRound: 2, signature: sign(signer, 'BlockVote', value) }));
    return {
      kind: 'classic', command: first.command.id, entry: first.id, ts: first.ts, footprintRoot: first.command.footprintRoot, outcome: 'aborted',
      path: merklePath(leaves, 0), headers: [b, child], qc: { view: 0n, round: childRound, blockHash: blockHashOf(child), votes },
    };
  }

  it('q acknowledgements of the right bit, no fewer', () => {
    expect(verifyReceipt(config, fast([0, 1, 2]))).to.equal('applied');
    expect(verifyReceipt(config, fast([0, 1]))).to.equal(undefined);
    expect(verifyReceipt(config, fast([0, 1, 1]))).to.equal(undefined);
    expect(verifyReceipt(config, fast([0, 1, 2], 2n)), 'another entry of the batch').to.equal(undefined);
    expect(verifyReceipt(config, { ...fast([0, 1, 2]), index: 1 })).to.equal(undefined);
    expect(verifyReceipt(config, { ...fast([0, 1, 2]), ts: ts(12) })).to.equal(undefined);
  });

  it('an outcome counts when its block is committed: a certified child of the next round', () => {
    expect(verifyReceipt(config, classic(3, [0, 1, 2]))).to.equal('aborted');
    expect(verifyReceipt(config, classic(4, [0, 1, 2])), 'a round between').to.equal(undefined);
    expect(verifyReceipt(config, classic(3, [0, 1]))).to.equal(undefined);
    expect(verifyReceipt(config, { ...classic(3, [0, 1, 2]), outcome: 'applied' })).to.equal(undefined);
  });
});
