import { expect } from 'chai';
import fc from 'fast-check';
import { askedByPath, askedByRank, decode, encode, signStruct } from '../../../protocol/codec/index.ts';
import { isPicoloError } from '../../../protocol/errors/index.ts';
import { certifiedCheckpointC, rosterOf, verifyCertificate, type CertifiedCheckpoint } from '../../../protocol/membership/index.ts';
import {
  certifiedCheckpointW, compareStatements, queryRequestW, rangeAnswerW, readAnswerW, statementAnswerW, verifyRangeAnswer, verifyRead, verifySample,
  verifyStatement, type Asker, type ReadAnswer, type VerifiedStatement,
} from '../../../protocol/query/index.ts';
import { ZERO_HASH, type Hash32, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import { makeVectors } from '../../browser/vectors.ts';
import type { Vectors } from '../../browser/verifier.ts';
import { World } from '../sdk/world.ts';

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    if (isPicoloError(error)) return error.code;
    throw error;
  }
}

const other = (hash: Hash32): Hash32 => `0x${hash.slice(2, 4) === 'ff' ? '00' : 'ff'}${hash.slice(4)}` as Hash32;

describe('protocol/query', () => {
  const world = new World();
  let vectors: Vectors;
  let asker: Asker;
  let read: ReadAnswer;
  let asked: { paths: readonly Path[]; request: Hash32; minHeight: bigint; minTimestamp: Timestamp };

  before(async () => {
    vectors = await makeVectors();
    asker = { domain: world.domain, roster: rosterOf(vectors.group, 1n, vectors.replicas), querier: vectors.querier };
    read = readAnswerW.fromJson(vectors.read);
    asked = { paths: vectors.paths, request: vectors.request, minHeight: 0n, minTimestamp: 0n as Timestamp };
  });

  /** The same answer with one thing changed; re-signed by the node when `resign` is given. */
  function changed(change: (copy: any) => void, resign?: Uint8Array): ReadAnswer {
    const copy = structuredClone(read) as any;
    change(copy);
    if (resign !== undefined) for (const entry of copy.entries) entry.signature = signStruct(world.domain, 'Answer', entry.answer, resign);
    return copy as ReadAnswer;
  }

  describe('certificates', () => {
    const refused: readonly (readonly [string, (copy: any) => void, string])[] = [
      ['another group', (c) => { c.checkpoint.group = other(c.checkpoint.group); }, 'MEMBERSHIP_OTHER_GROUP'],
      ['another epoch', (c) => { c.checkpoint.epoch = 2n; }, 'MEMBERSHIP_OTHER_EPOCH'],
      ['other details', (c) => { c.detail.rowCount += 1n; }, 'MEMBERSHIP_WRONG_DETAIL'],
      ['another state root', (c) => { c.checkpoint.stateRoot = other(c.checkpoint.stateRoot); }, 'MEMBERSHIP_BAD_SIGNATURE'],
      ['a signature too few', (c) => { c.signatures.pop(); }, 'MEMBERSHIP_FEW_SIGNATURES'],
      ['one signer twice', (c) => { c.signatures[1] = c.signatures[0]; }, 'MEMBERSHIP_SIGNER_ORDER'],
      ['a stranger', (c) => { c.signatures[2].replica = 9; }, 'MEMBERSHIP_SIGNER_ORDER'],
      ['a signature under another name', (c) => { c.signatures[2].replica = 3; }, 'MEMBERSHIP_BAD_SIGNATURE'],
    ];
    for (const [name, change, code] of refused) {
      it(`refuses ${name}`, () => {
        const copy = structuredClone(read.checkpoint) as CertifiedCheckpoint;
        change(copy);
        expect(codeOf(() => verifyCertificate(asker.domain, asker.roster, copy))).to.equal(code);
      });
    }

    it('takes the genuine one; both definitions have the same bytes', () => {
      expect(codeOf(() => verifyCertificate(asker.domain, asker.roster, read.checkpoint))).to.equal('none');
      expect(encode(certifiedCheckpointW, read.checkpoint)).to.deep.equal(encode(certifiedCheckpointC, read.checkpoint));
    });

    it('refuses a roster that is not the one it was made under', () => {
      const roster = rosterOf(vectors.group, 1n, vectors.replicas.slice(0, 3));
      expect(codeOf(() => verifyCertificate(asker.domain, roster, read.checkpoint))).to.equal('MEMBERSHIP_WRONG_CONFIG');
    });
  });

  describe('reads', () => {
    it('T-3.2-inclusion, T-3.2-absence: proves presence and absence', () => {
      expect(verifyRead(asker, asked, read).map(({ kind }) => kind)).to.deep.equal(['present', 'present', 'absent']);
    });

    it('T-4.3.6-signed-get: the signature on each answered key leads to the node that gave it', () => {
      const resigned = changed(() => undefined, world.keys[2]);
      expect(verifyRead(asker, asked, resigned).map((finding) => 'node' in finding && finding.node)).to.deep.equal([2, 2, 2].map((i) => asker.roster.replicas[i]));
    });

    const useless: readonly (readonly [string, (copy: any) => void, string, boolean])[] = [
      ['unsigned by the group', (a) => { a.entries[0].signature = `0x${'11'.repeat(65)}`; }, 'QUERY_NOT_A_REPLICA', false],
      ['for another question', (a) => { a.entries[0].answer.request = `0x${'00'.repeat(32)}`; }, 'QUERY_UNBOUND', true],
      ['for another asker', (a) => { a.entries[0].answer.querier = `0x${'00'.repeat(20)}`; }, 'QUERY_UNBOUND', true],
      ['for another key', (a) => { a.entries[0].answer.path = a.entries[1].answer.path; }, 'QUERY_UNBOUND', true],
      ['for another height', (a) => { a.entries[0].answer.height += 1n; }, 'QUERY_UNBOUND', true],
      ['with fewer entries', (a) => { a.entries.pop(); }, 'QUERY_UNBOUND', true],
      ['with another proof', (a) => { a.entries[0].proof = a.entries[1].proof; }, 'QUERY_BAD_PROOF', true],
      ['with a flipped sibling', (a) => { a.entries[0].proof.steps[0].sibling = other(a.entries[0].proof.steps[0].sibling); }, 'QUERY_BAD_PROOF', true],
      ['with a wrong count', (a) => { a.entries[0].proof.steps[0].siblingCount += 1n; }, 'QUERY_BAD_PROOF', true],
      ['without the row', (a) => { a.entries[0].row = null; }, 'QUERY_ROW_MISMATCH', true],
      ['with another row', (a) => { a.entries[0].row.values[1] = 'forged'; }, 'QUERY_ROW_MISMATCH', true],
      ['with another version', (a) => { a.entries[0].row.writtenAt += 1n; }, 'QUERY_ROW_MISMATCH', true],
    ];
    for (const [name, change, code, resign] of useless) {
      it(`an answer ${name} is useless, and accuses nobody`, () => {
        expect(codeOf(() => verifyRead(asker, asked, changed(change, resign ? world.keys[0] : undefined)))).to.equal(code);
      });
    }

    it('an answer older than asked for is refused', () => {
      const { height } = read.checkpoint.checkpoint;
      expect(codeOf(() => verifyRead(asker, { ...asked, minHeight: height + 1n }, read))).to.equal('QUERY_STALE');
      const { closeTs } = read.checkpoint.detail;
      expect(codeOf(() => verifyRead(asker, { ...asked, minTimestamp: (closeTs + 1n) as Timestamp }, read))).to.equal('QUERY_STALE');
    });

    it('P-6.1-cpoq: a row hash against the own root, and a root against the certificate, are lies with evidence', () => {
      const [own] = verifyRead(asker, asked, changed((a) => { a.entries[0].answer.rowHash = other(a.entries[0].answer.rowHash); }, world.keys[1]));
      expect(own).to.have.nested.property('lie.kind', 'own-root');
      expect(own).to.have.nested.property('lie.node', vectors.replicas[1]);
      const [, , absent] = verifyRead(asker, asked, changed((a) => { a.entries[2].answer.rowHash = a.entries[0].answer.rowHash; }, world.keys[2]));
      expect(absent).to.have.nested.property('lie.kind', 'own-root');
      const [root] = verifyRead(asker, asked, changed((a) => { a.entries[0].answer.stateRoot = other(a.entries[0].answer.stateRoot); }, world.keys[0]));
      expect(root).to.have.nested.property('lie.kind', 'certificate');
    });

    it('a sample by rank must be about that rank (P-6.1-random-index)', () => {
      const [first] = verifyRead(asker, asked, read);
      const rank = first?.kind === 'present' ? first.rank : 0n;
      const askedFor = (wanted: bigint, change: (entry: any) => void = () => undefined): ReadAnswer => changed((a) => {
        a.entries = [a.entries[0]];
        a.entries[0].answer.request = askedByRank(asked.request, wanted);
        change(a.entries[0]);
      }, world.keys[0]);
      expect(verifySample(asker, { ...asked, ranks: [rank] }, askedFor(rank))[0]).to.have.property('kind', 'present');
      expect(codeOf(() => verifySample(asker, { ...asked, ranks: [rank + 1n] }, askedFor(rank)))).to.equal('QUERY_UNBOUND');
      expect(codeOf(() => verifySample(asker, { ...asked, ranks: [rank, rank] }, askedFor(rank)))).to.equal('QUERY_UNBOUND');
      const [other] = verifySample(asker, { ...asked, ranks: [rank + 1n] }, askedFor(rank + 1n));
      expect(other).to.have.nested.property('lie.kind', 'rank');
      const absent = askedFor(rank, ({ answer }) => { Object.assign(answer, { path: vectors.paths[2], rowHash: ZERO_HASH }); });
      expect(verifySample(asker, { ...asked, ranks: [rank] }, absent)[0], 'absent, but the proof shows the leaf of the rank').to.have.nested.property('lie.kind', 'rank');
      const neither = askedFor(rank + 1n, ({ answer }) => { answer.path = vectors.paths[2]; });
      expect(codeOf(() => verifySample(asker, { ...asked, ranks: [rank + 1n] }, neither))).to.equal('QUERY_UNBOUND');
    });

    it('an answer repeats how it was asked for: none by path passes as one by rank', () => {
      const { answer } = read.entries[0] as ReadAnswer['entries'][number];
      expect(answer.request).to.equal(askedByPath(asked.request));
      expect(answer.request).to.not.equal(asked.request);
      expect(new Set([0n, 1n, 2n].map((rank) => askedByRank(asked.request, rank))).size).to.equal(3);
    });

    it('one flipped bit anywhere in the encoded answer never yields another row', () => {
      const bytes = encode(readAnswerW, read);
      const genuine = JSON.stringify(verifyRead(asker, asked, read).map((finding) => (
        finding.kind === 'present' ? readAnswerW.toJson(read) && String(finding.row.values) : finding.kind)));
      fc.assert(fc.property(fc.integer({ min: 0, max: bytes.length * 8 - 1 }), (bit) => {
        const altered = bytes.slice();
        altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
        try {
          const found = verifyRead(asker, asked, decode(readAnswerW, altered));
          expect(JSON.stringify(found.map((finding) => (finding.kind === 'present' ? String(finding.row.values) : finding.kind)))).to.equal(genuine);
        } catch (error) {
          if (!isPicoloError(error)) throw error;
        }
      }), { numRuns: 150 });
    });
  });

  describe('ranges', () => {
    it('proves completeness, and refuses a row left out, added or changed', () => {
      const { from, to, limit, answer } = vectors.range;
      const range = rangeAnswerW.fromJson(answer);
      const question = { ...asked, database: vectors.database, from, to, limit };
      expect(verifyRangeAnswer(asker, question, range)).to.include({ complete: true });
      expect(codeOf(() => verifyRangeAnswer(asker, question, { ...range, rows: range.rows.slice(1) }))).to.equal('QUERY_BAD_PROOF');
      expect(codeOf(() => verifyRangeAnswer(asker, question, { ...range, rows: [...range.rows, ...range.rows.slice(-1)] }))).to.equal('QUERY_BAD_PROOF');
      expect(codeOf(() => verifyRangeAnswer(asker, { ...question, limit: 7 }, range))).to.equal('QUERY_UNBOUND');
      const altered = structuredClone(range) as any;
      altered.rows[0].row.values[1] = 'forged';
      expect(codeOf(() => verifyRangeAnswer(asker, question, altered))).to.equal('QUERY_BAD_PROOF');
    });
  });

  describe('statements', () => {
    let statements: VerifiedStatement[];
    const verified = (raw: unknown): VerifiedStatement => verifyStatement(asker, queryRequestW.fromJson(vectors.query), statementAnswerW.fromJson(raw));
    before(() => { statements = vectors.statements.map(verified); });

    it('f + 1 equal results of different replicas agree; one replica twice does not', () => {
      expect(compareStatements(statements, 2)).to.have.property('kind', 'agreed');
      const [one] = statements as [VerifiedStatement];
      expect(compareStatements([one, one], 2)).to.have.property('kind', 'open');
      expect(compareStatements([], 2)).to.deep.equal({ kind: 'open', snapshot: 0n, lies: [] });
    });

    it('different results at one snapshot are a contradiction; at different snapshots they are none', () => {
      const [one, two] = statements as [VerifiedStatement, VerifiedStatement];
      const liar = { ...two, statement: { ...two.statement, resultHash: other(two.statement.resultHash) } };
      expect(compareStatements([one, liar], 2).lies).to.have.length(1);
      expect(compareStatements([one, { ...liar, snapshot: (two.snapshot + 1n) as Timestamp }], 2).lies).to.deep.equal([]);
    });

    it('refuses rows that are not the signed ones, another question, another time', () => {
      const raw = structuredClone(vectors.statements[0]) as any;
      raw.rows[0][0] = 99;
      expect(codeOf(() => verified(raw))).to.equal('QUERY_UNBOUND');
      const query = queryRequestW.fromJson(vectors.query);
      const genuine = statementAnswerW.fromJson(vectors.statements[0]);
      expect(codeOf(() => verifyStatement(asker, { ...query, sql: 'SELECT 1' }, genuine))).to.equal('QUERY_UNBOUND');
      expect(codeOf(() => verifyStatement(asker, { ...query, asOf: 5n as Timestamp }, genuine))).to.equal('QUERY_UNBOUND');
      expect(codeOf(() => verifyStatement(asker, { ...query, minTimestamp: ((1n << 96n) - 1n) as Timestamp }, genuine))).to.equal('QUERY_STALE');
    });
  });
});
