import { expect } from 'chai';
import { signStruct } from '../../../protocol/codec/index.ts';
import { encodeEvidence, decodeCall, judgeFlat, type EvidenceOf, type JudgeContext } from '../../../protocol/evidence/index.ts';
import { contradictionIn, rootListOf, rootsAnswerW, verifyRootList, type Asker, type RootsAnswer } from '../../../protocol/query/index.ts';
import { sha256Hex } from '../../../protocol/crypto/index.ts';
import { uintBytes, ZERO_HASH, type Address, type Hash32 } from '../../../protocol/types/index.ts';
import { World } from '../sdk/world.ts';

const ISSUED_AT = 1_000n;
const LIAR = 2;
const request = sha256Hex(uintBytes(7, 4));
const querier = `0x${'c1'.repeat(20)}` as Address;
const rootAt = (height: number): Hash32 => sha256Hex(uintBytes(height, 4));

describe('protocol/query: lists of roots', () => {
  const world = new World();
  world.height = 5n;
  const place = { group: world.group, epoch: 1n };
  const asker: Asker = { domain: world.domain, roster: world.roster, querier };
  const liar = world.roster.replicas[LIAR] as Address;
  const heights = [3, 4, 5, 6, 7];

  /** The list of a member; it has `at5` for the world's certified height 5. */
  function listOf(at5: Hash32, change: (answer: { roots: { height: bigint; stateRoot: Hash32 }[]; list: any }) => void = () => undefined): RootsAnswer {
    const roots = heights.map((height) => ({ height: BigInt(height), stateRoot: height === 5 ? at5 : rootAt(height) }));
    const answer = { roots, list: rootListOf(place, roots, { request, querier }, ISSUED_AT) };
    change(answer);
    return { ...answer, signature: signStruct(world.domain, 'RootList', answer.list, world.keys[LIAR] as Uint8Array) };
  }

  const context: JudgeContext = {
    domain: world.domain, now: ISSUED_AT, evidenceWindow: 14n * 86_400n, absolution: 86_400n,
    epochOf: (group, epoch) => (group === world.group && epoch === 1n ? { roster: world.roster.replicas, endedAt: undefined } : undefined),
    signerOf: (signer) => ({ node: signer, status: 'active', lastFaultAt: 0n }),
  };

  it('T-4.3.6-root-list: a signed list names its signer, and its bytes are those that were signed', () => {
    const answer = listOf(world.certified().checkpoint.stateRoot);
    expect(verifyRootList(asker, request, answer)).to.equal(liar);
    expect(rootsAnswerW.fromJson(rootsAnswerW.toJson(answer))).to.deep.equal(answer);
    expect(contradictionIn(liar, answer, world.certified())).to.equal(undefined);
  });

  const useless: readonly (readonly [string, (answer: any) => void, string])[] = [
    ['of another group', (a) => { a.list.group = request; }, 'QUERY_UNBOUND'],
    ['of another epoch', (a) => { a.list.epoch = 2n; }, 'QUERY_UNBOUND'],
    ['for another question', (a) => { a.list.request = ZERO_HASH; }, 'QUERY_UNBOUND'],
    ['for another asker', (a) => { a.list.querier = liar; }, 'QUERY_UNBOUND'],
    ['with another count', (a) => { a.list.count = 4; }, 'QUERY_UNBOUND'],
    ['with a root that was not signed', (a) => { a.roots[1].stateRoot = ZERO_HASH; }, 'QUERY_UNBOUND'],
    ['with one root left out', (a) => { a.roots.pop(); }, 'QUERY_UNBOUND'],
    ['out of order', (a) => { a.roots.reverse(); a.list = rootListOf(place, a.roots, { request, querier }, ISSUED_AT); }, 'QUERY_UNBOUND'],
    ['with one height twice', (a) => { a.roots[1].height = 3n; a.list = rootListOf(place, a.roots, { request, querier }, ISSUED_AT); }, 'QUERY_UNBOUND'],
  ];
  for (const [name, change, code] of useless) {
    it(`a list ${name} is of no use, and accuses nobody`, () => {
      expect(() => verifyRootList(asker, request, listOf(rootAt(5), change))).to.throw().with.property('code', code);
    });
  }

  it('a list that a stranger signed is of no use', () => {
    const answer = listOf(rootAt(5));
    const stranger = { ...answer, signature: signStruct(world.domain, 'RootList', answer.list, new Uint8Array(32).fill(9)) };
    expect(() => verifyRootList(asker, request, stranger)).to.throw().with.property('code', 'QUERY_NOT_A_REPLICA');
  });

  it('T-4.3.6-complain: two signed statements that contradict each other convict; weak evidence does not', () => {
    const certified = world.certified();
    const answer = listOf(rootAt(5));
    const lie = contradictionIn(liar, answer, certified);
    if (lie === undefined) throw new Error('the list contradicts the certificate');
    const evidence: EvidenceOf<'FalseHistory'> = {
      kind: 'FalseHistory', roster: world.roster, culprit: LIAR, list: lie.root, against: { kind: 'certificate', certified },
    };
    const said = (change: Partial<EvidenceOf<'FalseHistory'>>): unknown => judgeFlat(decodeCall(encodeEvidence({ ...evidence, ...change }).call), context);
    expect(said({})).to.include({ kind: 'guilty', offence: 'FalseHistory', accused: liar, reward: querier });
    expect(said({ culprit: 1 })).to.include({ error: 'SignerMismatch' }); // somebody else's list
    expect(said({ list: { ...lie.root, stateRoot: rootAt(4) } })).to.include({ error: 'SignerMismatch' }); // a root that the list does not have
    const few = { ...certified, signatures: certified.signatures.slice(1) };
    expect(said({ against: { kind: 'certificate', certified: few } })).to.include({ error: 'NoQuorum' });
    const later = { ...certified, checkpoint: { ...certified.checkpoint, epoch: 2n } };
    expect(contradictionIn(liar, answer, later)).to.equal(undefined);
  });
});
