import { expect } from 'chai';
import { examine, examineRow, type PoqAnswer } from '../../../protocol/poq/index.ts';
import { verifyProof, type TreeProof } from '../../../protocol/state-tree/index.ts';
import { ZERO_HASH } from '../../../protocol/types/index.ts';
import { answerOf, batchedRowOf, certify, expectationOf, hash, outsider, path, rowOf, self, stateOf, target, third } from './fixtures.ts';

const state = stateOf(50);
const expected = expectationOf(state);
const asClient = { ...expected, local: null };
const noProof: TreeProof = { terminal: null, steps: [] };

describe('poq: examine', () => {
  it('P-6.1-ppoq: an honest answer agrees, for a peer with its own tree and for a client with the proof alone (P-6.1-cpoq)', () => {
    const reply = answerOf(state, expected);
    const leaf = state.tree.at(state.root, expected.rank);
    expect(examine(reply, expected)).to.deep.equal({ kind: 'agrees', leaf });
    expect(examine(reply, asClient)).to.deep.equal({ kind: 'agrees', leaf });
  });

  it('P-6.1-ppoq: another row hash is a false answer against the root that the target signed beside it', () => {
    for (const rowHash of [hash('altered'), ZERO_HASH]) {
      const reply = answerOf(state, expected, { rowHash });
      const verdict = examine(reply, asClient);
      if (verdict.kind !== 'falseAnswer' || verdict.against.kind !== 'ownRoot') throw new Error(`got ${verdict.kind}`);
      const { answer, signature, against } = verdict;
      expect([answer, signature]).to.deep.equal([reply.answer, reply.signature]);
      const stored = state.tree.get(state.root, answer.path);
      expect(verifyProof(answer.stateRoot, answer.path, against.proof)).to.include({ kind: 'present', rowHash: stored });
    }
  });

  it('P-6.1-ppoq: a liar that keeps its proof back is convicted by the challenger\'s own', () => {
    const reply = { ...answerOf(state, expected, { rowHash: hash('altered') }), proof: noProof };
    expect(examine(reply, asClient)).to.deep.equal({ kind: 'malformed', reason: 'proof' });
    expect(examine(reply, expected)).to.deep.include({ kind: 'falseAnswer', against: { kind: 'ownRoot', proof: expected.local } });
  });

  it('P-6.1-ppoq: another state root is a false answer against the certificate of that height, a rolled back state included', () => {
    const old = stateOf(50, 9n, { 3: hash('old') });
    for (const stateRoot of [hash('invented'), old.root.hash]) {
      expect(examine(answerOf(state, expected, { stateRoot }), expected)).to.deep.include({
        kind: 'falseAnswer', against: { kind: 'certificate', certified: state.certified },
      });
    }
  });

  it('an answer older than the height it repeats is false by itself: nothing else has to be shown', () => {
    const reply = { ...answerOf(state, expected, { height: 9n }), proof: noProof };
    expect(examine(reply, asClient)).to.deep.equal({ kind: 'falseAnswer', answer: reply.answer, signature: reply.signature, against: { kind: 'stale' } });
  });

  it('an answer from a newer certified checkpoint is compared with that one', () => {
    const newer = stateOf(60, 11n);
    const leaf = newer.tree.at(newer.root, expected.rank);
    expect(examine(answerOf(newer, expected), expected)).to.deep.equal({ kind: 'agrees', leaf });
    expect(examine(answerOf(newer, expected, { rowHash: hash('x') }), expected)).to.deep.include({ kind: 'falseAnswer' });
    const uncertified = { ...newer, certified: { ...newer.certified, signatures: newer.certified.signatures.slice(1) } };
    expect(examine(answerOf(uncertified, expected), expected)).to.deep.equal({ kind: 'malformed', reason: 'certificate' });
    const mismatched = { ...answerOf(newer, expected), checkpoint: certify(newer.root.hash, 60n, 12n) };
    expect(examine(mismatched, expected)).to.deep.equal({ kind: 'malformed', reason: 'certificate' });
  });

  it('a rank that a newer, smaller tree no longer has is nobody\'s fault', () => {
    const smaller = stateOf(Number(expected.rank), 11n);
    const { height, stateRoot } = smaller.certified.checkpoint;
    const reply = { ...answerOf(state, expected, { height, stateRoot }), proof: noProof, checkpoint: smaller.certified };
    expect(examine(reply, expected)).to.deep.equal({ kind: 'malformed', reason: 'shrunk' });
  });

  it('what the target did not sign, or signed about something else, is malformed and no evidence', () => {
    const cases: [string, PoqAnswer][] = [
      ['signature', answerOf(state, expected, { rowHash: hash('framed') }, third)],
      ['signature', { ...answerOf(state, expected), answer: { ...answerOf(state, expected).answer, rowHash: hash('framed') } }],
      ['identity', answerOf(state, expected, { group: hash('other') })],
      ['identity', answerOf(state, expected, { epoch: 9n })],
      ['request', answerOf(state, expected, { request: hash('other question') })],
      ['request', answerOf(state, expected, { querier: third })],
      ['height', answerOf(state, expected, { minHeight: 9n })],
      ['request', answerOf(state, expected, { request: expected.request })], // it does not say which rank it was asked for
    ];
    for (const [reason, reply] of cases) expect(examine(reply, expected), reason).to.deep.equal({ kind: 'malformed', reason });
  });

  it('P-6.1-random-index: an answer about another row than the one of the rank is false, whichever of the two leaves is shown', () => {
    const { request, rank } = expected;
    const other = state.tree.at(state.root, (rank + 1n) % 50n);
    const proofs = { asked: state.tree.proveRank(state.root, rank), answered: state.tree.prove(state.root, other.path) };
    for (const rowHash of [other.rowHash, hash('altered'), ZERO_HASH]) {
      const reply = answerOf(state, expected, { path: other.path, rowHash });
      const falseBy = (proof: TreeProof) => ({
        kind: 'falseAnswer', answer: reply.answer, signature: reply.signature, against: { kind: 'rank', request, rank, proof },
      });
      expect(examine(reply, expected)).to.deep.equal(falseBy(proofs.asked));
      for (const proof of [proofs.asked, proofs.answered]) expect(examine({ ...reply, proof }, asClient)).to.deep.equal(falseBy(proof));
      const third = state.tree.proveRank(state.root, (rank + 2n) % 50n);
      expect(examine({ ...reply, proof: third }, asClient), 'it shows neither').to.deep.equal({ kind: 'malformed', reason: 'proof' });
    }
  });

  it('P-6.1-random-index: an answer about a key that no leaf has is false by the leaf of the rank', () => {
    const reply = answerOf(state, expected, { path: path(99), rowHash: ZERO_HASH });
    expect(examine(reply, asClient)).to.deep.include({
      kind: 'falseAnswer', against: { kind: 'rank', request: expected.request, rank: expected.rank, proof: reply.proof },
    });
  });

  it('a proof of another rank does not count', () => {
    const other = state.tree.proveRank(state.root, (expected.rank + 1n) % 50n);
    expect(examine({ ...answerOf(state, expected), proof: other }, asClient)).to.deep.equal({ kind: 'malformed', reason: 'proof' });
  });
});

describe('poq: rows', () => {
  const leaf = { path: path(0), rowHash: hash('row 0') };

  it('P-6.1-row-sig: a row signed by its writer agrees; another row of the same writer is told apart', () => {
    expect(examineRow(rowOf(expected), leaf, expected)).to.deep.equal({ kind: 'agrees' });
    expect(examineRow(rowOf(expected, { rowHash: hash('old') }), leaf, expected)).to.deep.equal({ kind: 'otherRow', rowHash: hash('old') });
  });

  it('P-6.1-ppoq-escalate: a failing writer signature comes back with row, signature and signer, under the replica\'s signature', () => {
    const forged = rowOf(expected, {}, third);
    expect(examineRow(forged, leaf, expected)).to.deep.equal({ kind: 'forgedRow', ...forged });
    expect(forged.row.writer).to.equal(outsider);
  });

  it('a row whose transaction was signed in a batch agrees; a share that does not lead to the signature is a forged row', () => {
    expect(examineRow(batchedRowOf(expected), leaf, expected)).to.deep.equal({ kind: 'agrees' });
    for (const change of [{ index: 0 }, { count: 2 }, { siblings: [] }]) {
      const forged = batchedRowOf(expected, change);
      expect(examineRow(forged, leaf, expected)).to.deep.equal({ kind: 'forgedRow', ...forged });
    }
  });

  it('a row under another signature, question, key or signature hash is malformed', () => {
    const honest = rowOf(expected);
    expect(examineRow(rowOf({ ...expected, target: third }), leaf, expected)).to.deep.equal({ kind: 'malformed', reason: 'signature' });
    const edited = { ...honest, row: { ...honest.row, seq: 9n } };
    expect(examineRow(edited, leaf, expected)).to.deep.equal({ kind: 'malformed', reason: 'signature' });
    expect(examineRow(rowOf(expected, { epoch: 9n }), leaf, expected)).to.deep.equal({ kind: 'malformed', reason: 'identity' });
    expect(examineRow(rowOf(expected, { querier: target }), leaf, expected)).to.deep.equal({ kind: 'malformed', reason: 'identity' });
    expect(examineRow(rowOf(expected, { path: path(1) }), leaf, expected)).to.deep.equal({ kind: 'malformed', reason: 'path' });
    expect(examineRow({ ...honest, writerSignature: rowOf(expected, {}, self).writerSignature }, leaf, expected))
      .to.deep.equal({ kind: 'malformed', reason: 'proof' });
  });
});
