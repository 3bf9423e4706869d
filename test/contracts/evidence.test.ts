import { expect } from 'chai';
import { commitmentOf, decodeCall, encodeEvidence, isLesser, judge, judgeFlat, slasherOf, type Evidence } from '../../protocol/evidence/index.ts';
import { addressOf, sha256 } from '../../protocol/crypto/index.ts';
import { bytesOf, hexOf, type Address, type Hex, type Timestamp } from '../../protocol/types/index.ts';
import { beneficiary, guiltyCases, innocentCases, querier } from './all-cases.ts';
import {
  answer, blockVote, certified, chargeOf, doubleBlockVote, doubleProposal, falseAnswer, falseCheckpoint,
  forgedRow, h, key, otherRank, openedVote, treeOf, voteConflict, type CaseOf,
} from './cases.ts';
import { both, contextOf, fresh, submit } from './judges.ts';
import { DAY, ethers, helpers, now, packRoster, send, PINT, addNode, keyOf, offer, possession, sign } from './world.ts';

const refused = (error: string): object => ({ kind: 'refused', error });

describe('evidence: contract and judge agree', () => {
  it('P-6.2-publish-proof: every offence is accepted in one transaction, the reward goes to whom it belongs', async () => {
    const count = guiltyCases(await fresh(), 0n).length;
    for (let i = 0; i < count; i++) {
      const place = await fresh();
      const { StakeVault } = place.world.c;
      const evidence = guiltyCases(place, await now())[i] as Evidence;
      const verdict = await both(place, evidence);
      expect(verdict, evidence.kind).to.deep.include({ kind: 'guilty', reward: isLesser(evidence.kind) ? querier : beneficiary });
      if (isLesser(evidence.kind)) {
        expect((await StakeVault.getFunction('creditOf')(querier)).amount, evidence.kind).to.equal(60n * PINT);
      } else {
        const all = evidence.kind === 'ForkedCertificates';
        expect((await StakeVault.getFunction('bountyOf')(place.group.roster[evidence.culprit])).amount).to.equal(all ? 2_000n * PINT : 1_000n * PINT);
      }
    }
  });

  it('a call decodes to the case it was made from', async () => {
    const place = await fresh();
    const context = await contextOf(place);
    for (const evidence of guiltyCases(place, await now())) {
      const { call, offence, slasher } = encodeEvidence(evidence);
      expect(slasher).to.equal(slasherOf[evidence.kind]);
      const flat = decodeCall(call);
      expect(flat.kind).to.equal(offence);
      expect(judgeFlat(flat, context)).to.deep.equal(judge(evidence, context));
    }
  });

  it('P-5.2.1-conflict: two writes, and a read at or after a write, conflict; two reads and an earlier read do not', async () => {
    const table: readonly [a: 'R' | 'W', aMs: number, b: 'R' | 'W', bMs: number, guilty: boolean][] = [
      ['W', 1, 'W', 9, true], ['W', 9, 'W', 1, true], ['R', 5, 'W', 5, true], ['R', 6, 'W', 5, true], ['W', 5, 'R', 6, true],
      ['R', 4, 'W', 5, false], ['W', 5, 'R', 4, false], ['R', 4, 'R', 4, false],
    ];
    for (const [aMode, aMs, bMode, bMs, guilty] of table) {
      const place = await fresh();
      const evidence = voteConflict(place, 1, beneficiary, { mode: aMode, tsMs: aMs, size: 5, index: 4 }, { mode: bMode, tsMs: bMs, size: 200, index: 137, items: 7 });
      expect((await both(place, evidence)).kind, `${aMode}${aMs} ${bMode}${bMs}`).to.equal(guilty ? 'guilty' : 'refused');
    }
  });

  it('one vote that accepts two conflicting entries is a conflict; the same entry in two batches is none', async () => {
    const place = await fresh();
    const same = voteConflict(place, 0, beneficiary, { seed: 's' }, { seed: 's', size: 4, index: 2 });
    expect(await both(place, same)).to.deep.equal(refused('NotConflicting'));
  });

  it('votes of different views, or on different versions, cannot even be put together', async () => {
    const place = await fresh();
    const shape = { mode: 'W', tsMs: 1, size: 1, index: 0, items: 1, seed: 'z' } as const;
    const base = voteConflict(place, 0, beneficiary);
    const otherView = { ...base, second: openedVote(place, 0, shape, 8n) };
    const otherKey = { ...base, second: openedVote(place, 0, shape, 7n, { ...key, version: h('v2') as typeof key.version }) };
    for (const evidence of [otherView, otherKey]) expect(() => encodeEvidence(evidence)).to.throw('EVIDENCE_INCONSISTENT');
  });

  it('a vote that does not accept the entry proves nothing', async () => {
    const place = await fresh();
    const evidence = voteConflict(place, 0, beneficiary);
    const shape = { mode: 'W', tsMs: 9, size: 4, index: 2, items: 1, seed: 'n' } as const;
    const voted = openedVote(place, 0, shape);
    const value = { ...voted.value, accept: 0b1011n };
    const second = { ...voted, value, signature: sign(place.world, place.group.members[0] as never, 'FastVote', value) };
    expect(await both(place, { ...evidence, second })).to.deep.equal(refused('NotAccepted'));
  });

  it('what an honest replica may sign is no contradiction', async () => {
    const place = await fresh();
    for (const evidence of innocentCases(place, await now())) expect(await both(place, evidence), evidence.kind).to.deep.equal(refused('NotConflicting'));
  });

  it('one block, one proposal, the certified checkpoint again: no contradiction', async () => {
    const place = await fresh();
    expect(await both(place, doubleBlockVote(place, 0, beneficiary, ['x', 'x']))).to.deep.equal(refused('NotConflicting'));
    expect(await both(place, doubleProposal(place, 0, beneficiary, ['x', 'x']))).to.deep.equal(refused('NotConflicting'));
    expect(await both(place, falseCheckpoint(place, 0, beneficiary, ['t', 't']))).to.deep.equal(refused('NotConflicting'));
  });

  it('P-6.2-publish-proof: true answers of every form cannot be turned against the node', async () => {
    const place = await fresh();
    const at = await now();
    for (const form of ['present', 'absent', 'empty', 'certificate'] as const) {
      expect(await both(place, falseAnswer(place, 1, form, querier, at, { honest: true })), form).to.deep.equal(refused('NotConflicting'));
    }
    expect(await both(place, forgedRow(place, 1, querier, at, { honest: true }))).to.deep.equal(refused('NotConflicting'));
  });

  it('an answer about another row than the one of the rank convicts, by either leaf; about the right one it does not', async () => {
    const at = await now();
    for (const shown of [8, 7]) expect((await both(await fresh(), otherRank(await fresh(), 1, querier, at, { shown }))).kind).to.equal('guilty');
    const place = await fresh();
    const honest = otherRank(place, 1, querier, at, { at: 8, rank: 8 });
    expect(await both(place, honest)).to.deep.equal(refused('NotConflicting'));
    expect(await both(place, otherRank(place, 1, querier, at, { shown: 20 })), 'it shows neither leaf').to.deep.equal(refused('NotConflicting'));
    // an honest answer about rank 8 cannot be told as one about rank 7
    expect(await both(place, otherRank(place, 1, querier, at, { at: 8, rank: 7, repeats: 8 }))).to.deep.equal(refused('BadProof'));
    const readByPath = falseAnswer(place, 1, 'present', querier, at, { honest: true });
    expect(await both(place, { ...readByPath, against: honest.against })).to.deep.equal(refused('BadProof'));
  });

  it('a batch signature proves its writer at every place of every size, and nothing when it is malformed', async () => {
    const place = await fresh();
    const at = await now();
    for (const [batch, index] of [[1, 0], [2, 1], [5, 4], [64, 63], [33, 7]] as const) {
      const honest = forgedRow(place, 1, querier, at, { honest: true, batch, index });
      expect(await both(place, honest), `${batch}/${index}`).to.deep.equal(refused('NotConflicting'));
    }
    const malformed = [
      { count: 0 }, { count: 6 }, { count: 65 }, { count: 3 }, { index: 3 }, { index: 5 }, { index: 9 }, { notAfter: 10n as Timestamp }, { siblings: [] },
    ];
    for (const change of malformed) {
      const bent = await fresh();
      const evidence = forgedRow(bent, 1, querier, await now(), { honest: true, batch: 5, index: 4, change });
      expect((await both(bent, evidence)).kind, Object.keys(change).join()).to.equal('guilty');
    }
  });

  it('an inner node cannot pose as a leaf to prove a present row absent', async () => {
    const place = await fresh();
    const { tree, root, leaves } = treeOf(200);
    const { path, rowHash } = leaves[3]!;
    const frame = framingProof(tree.prove(root, path), path, rowHash);
    const truth = answer(place, 0, { stateRoot: root.hash, path, rowHash, querier, issuedAt: await now() });
    let tried = 0;
    for (const proof of frame) {
      const evidence: CaseOf<'FalseAnswer'> = { kind: 'FalseAnswer', ...chargeOf(place, 0), answer: truth, against: { kind: 'ownRoot', proof } };
      expect((await both(place, evidence)).kind).to.equal('refused');
      tried++;
    }
    expect(tried).to.be.greaterThan(2);
  });

  it('a certificate needs a quorum of the roster', async () => {
    const place = await fresh();
    const at = await now();
    const evidence = falseAnswer(place, 3, 'certificate', querier, at);
    const short = { ...evidence, against: { kind: 'certificate' as const, certified: certified(place, h('r'), 40n, [0, 2]) } };
    expect(await both(place, short)).to.deep.equal(refused('NoQuorum'));
    const wrong = certified(place, h('r'), 40n, [0, 1, 2]);
    const forged = { ...wrong, signatures: wrong.signatures.map((entry, i) => ({ ...entry, replica: i + 1 })) };
    expect(await both(place, { ...evidence, against: { kind: 'certificate', certified: forged } })).to.deep.equal(refused('NotSigned'));
  });

  it('somebody else\'s signature convicts nobody', async () => {
    const place = await fresh();
    const mine = doubleBlockVote(place, 0, beneficiary);
    expect(await both(place, { ...mine, second: blockVote(place, 1, 'y') })).to.deep.equal(refused('SignerMismatch'));
    expect(await both(place, { ...mine, culprit: 2 })).to.deep.equal(refused('SignerMismatch'));
  });

  it('the roster must be the epoch\'s', async () => {
    const place = await fresh();
    const evidence = doubleBlockVote(place, 0, beneficiary);
    const wrong = { ...evidence.roster, replicas: evidence.roster.replicas.slice(0, 3) };
    expect(await both(place, { ...evidence, roster: wrong })).to.deep.equal(refused('UnknownRoster'));
    const later = { ...place, epoch: 2n };
    const context = await contextOf(place);
    const future = doubleBlockVote(later, 0, beneficiary);
    expect(judge(future, context)).to.deep.equal(refused('UnknownRoster'));
    expect(await submit(place, 'SlasherConsensus', encodeEvidence(future).call)).to.deep.equal({ error: 'UnknownRoster' });
  });

  it('evidence of an ended epoch holds for the window and not a second longer', async () => {
    for (const [after, expected] of [[14n * DAY, 'guilty'], [14n * DAY + 1n, 'refused']] as const) {
      const place = await fresh();
      const { c, consumer } = place.world;
      await send(c.ClusterRegistry, consumer, 'closeGroup', place.group.cluster, 0, place.group.packed);
      const endedAt = await now();
      await helpers.time.setNextBlockTimestamp(endedAt + after);
      const evidence = doubleBlockVote(place, 0, beneficiary);
      expect(judge(evidence, await contextOf(place, endedAt + after)).kind).to.equal(expected);
      const outcome = await submit(place, 'SlasherConsensus', encodeEvidence(evidence).call);
      expect('error' in outcome ? outcome.error : 'guilty').to.equal(expected === 'guilty' ? 'guilty' : 'EvidenceExpired');
    }
  });

  it('a rotated key stays accountable in the epochs it signed', async () => {
    const place = await fresh();
    const { world, group } = place;
    const node = group.members[2]!;
    const next = keyOf(99);
    await send(world.c.StakeVault, node.owner, 'rotateSigner', node.address, addressOf(next), possession(world, next, await node.owner.getAddress(), node.address));
    expect((await both(place, doubleBlockVote(place, 2, beneficiary))).kind).to.equal('guilty');
  });

  it('an answer convicts once; what was answered within a day of it is absolved', async () => {
    const place = await fresh();
    const evidence = falseAnswer(place, 1, 'present', querier, await now());
    expect((await both(place, evidence)).kind).to.equal('guilty');
    expect(await both(place, evidence)).to.deep.equal(refused('Absolved'));
    expect(await both(place, falseAnswer(place, 1, 'absent', querier, await now(), { seq: 2n }))).to.deep.equal(refused('Absolved'));
    await helpers.time.increase(DAY + 10n);
    expect((await both(place, falseAnswer(place, 1, 'absent', querier, await now(), { seq: 3n }))).kind).to.equal('guilty');
  });

  it('an answer from the future waits for its time', async () => {
    const place = await fresh();
    expect(await both(place, falseAnswer(place, 1, 'present', querier, (await now()) + 1000n))).to.deep.equal(refused('FutureAnswer'));
  });

  it('10, 20, 40 percent, then the tombstone', async () => {
    const place = await fresh();
    const { StakeVault } = place.world.c;
    const node = place.group.roster[1]!;
    let stake = 2_000n * PINT;
    for (const bps of [1_000n, 2_000n, 4_000n, 4_000n]) {
      await helpers.time.increase(DAY + 10n);
      expect((await both(place, falseAnswer(place, 1, 'present', querier, await now()))).kind).to.equal('guilty');
      stake -= (stake * bps) / 10_000n;
      expect((await StakeVault.getFunction('accountOf')(node)).active).to.equal(stake);
    }
    expect((await StakeVault.getFunction('accountOf')(node)).status).to.equal(2n);
    await helpers.time.increase(DAY + 10n);
    expect(await both(place, falseAnswer(place, 1, 'present', querier, await now()))).to.deep.equal(refused('AlreadyPunished'));
  });

  it('the ladder starts again after its window', async () => {
    const place = await fresh();
    const node = place.group.roster[1]!;
    expect((await both(place, falseAnswer(place, 1, 'present', querier, await now()))).kind).to.equal('guilty');
    await helpers.time.increase(31n * DAY);
    expect((await both(place, falseAnswer(place, 1, 'present', querier, await now()))).kind).to.equal('guilty');
    expect((await place.world.c.StakeVault.getFunction('accountOf')(node)).active).to.equal(1_620n * PINT);
  });

  it('P-5.2.1-equivocation: once more than f of an epoch are convicted, everything is taken from them', async () => {
    const place = await fresh();
    const { StakeVault } = place.world.c;
    const first = doubleBlockVote(place, 0, beneficiary);
    const rest = (): Promise<unknown> => send(place.world.c.SlasherConsensus, place.world.watcher, 'takeRest', encodeEvidence(first).call);
    expect((await both(place, first)).kind).to.equal('guilty');
    expect(await StakeVault.getFunction('standing')(place.group.roster[0])).to.deep.equal([ethers.ZeroAddress, 2n, false]);
    expect(await both(place, first)).to.deep.equal(refused('AlreadyPunished'));
    await expect(rest()).to.be.revertedWithCustomError(place.world.c.SlasherConsensus, 'AlreadyPunished');
    expect((await StakeVault.getFunction('accountOf')(place.group.roster[0])).active).to.equal(1_000n * PINT);
    expect((await both(place, doubleProposal(place, 1, beneficiary))).kind).to.equal('guilty');
    expect((await StakeVault.getFunction('accountOf')(place.group.roster[1])).active).to.equal(0n);
    await rest();
    expect((await StakeVault.getFunction('accountOf')(place.group.roster[0])).active).to.equal(0n);
    expect((await StakeVault.getFunction('creditOf')(beneficiary)).amount).to.equal(100n * PINT);
    await expect(rest()).to.be.revertedWithCustomError(place.world.c.SlasherConsensus, 'AlreadyPunished');
  });

  it('evidence stealing: whoever committed before the slash takes the bounty from a copy, and nobody else can', async () => {
    const place = await fresh();
    const { SlasherConsensus, StakeVault } = place.world.c;
    const { consumer, watcher } = place.world;
    const mine = doubleBlockVote(place, 0, beneficiary);
    const thief = await consumer.getAddress();
    await send(SlasherConsensus, watcher, 'commit', commitmentOf(mine));
    await expect(send(SlasherConsensus, watcher, 'commit', commitmentOf(mine))).to.not.emit(SlasherConsensus, 'Committed');
    expect((await both(place, { ...mine, beneficiary: thief.toLowerCase() as Address })).kind).to.equal('guilty');
    const parts = [thief, 100n * PINT, place.group.group, ethers.ZeroAddress, 200n * PINT];
    const contest = (report: Evidence, claim: readonly unknown[] = parts): Promise<unknown> =>
      send(SlasherConsensus, watcher, 'contest', claim, encodeEvidence(report).call);
    // a commitment after the slash, another beneficiary, other shares: nothing moves
    const late = doubleBlockVote(place, 0, querier);
    await send(SlasherConsensus, watcher, 'commit', commitmentOf(late));
    await expect(contest(late)).to.be.revertedWithCustomError(SlasherConsensus, 'NotContested');
    await expect(contest(doubleProposal(place, 0, beneficiary))).to.be.revertedWithCustomError(SlasherConsensus, 'NotContested');
    await expect(contest(mine, [thief, 100n * PINT, h('a group'), ethers.ZeroAddress, 200n * PINT])).to.be.revertedWithCustomError(SlasherConsensus, 'NotContested');
    await expect(contest(mine, [thief, 101n * PINT, ...parts.slice(2)])).to.be.revertedWithCustomError(StakeVault, 'WrongClaim');
    await expect(contest(doubleBlockVote(place, 0, beneficiary, ['x', 'x']))).to.be.revertedWithCustomError(SlasherConsensus, 'NotConflicting');
    await expect(contest(mine)).to.emit(StakeVault, 'BountyMoved').withArgs(ethers.getAddress(place.group.roster[0]!), thief, ethers.getAddress(beneficiary));
    const moved = [beneficiary, ...parts.slice(1)];
    await expect(send(StakeVault, watcher, 'shareOut', place.group.roster[0], moved)).to.be.revertedWithCustomError(StakeVault, 'StillLocked');
    await helpers.time.increase(601);
    await expect(contest(mine, moved)).to.be.revertedWithCustomError(StakeVault, 'TooLate');
    await expect(send(StakeVault, watcher, 'shareOut', place.group.roster[0], parts)).to.be.revertedWithCustomError(StakeVault, 'WrongClaim');
    await send(StakeVault, watcher, 'shareOut', place.group.roster[0], moved);
    expect((await StakeVault.getFunction('creditOf')(beneficiary)).amount).to.equal(100n * PINT);
    expect((await StakeVault.getFunction('creditOf')(thief)).amount).to.equal(200n * PINT); // the consumer's part: here the thief owns the cluster
  });

  it('stake that is leaving pays too', async () => {
    const place = await fresh();
    const { world, group } = place;
    const node = group.members[0]!;
    const free = await world.c.StakeVault.getFunction('freeOf')(node.address);
    await send(world.c.StakeVault, node.owner, 'requestUnbond', node.address, free);
    expect((await both(place, doubleBlockVote(place, 0, beneficiary))).kind).to.equal('guilty');
    const account = await world.c.StakeVault.getFunction('accountOf')(node.address);
    expect(account.active + account.pending).to.equal(1_000n * PINT);
  });

  it('evidence of the epoch before a replacement still convicts the one who left', async () => {
    const place = await fresh();
    const { world, group } = place;
    const incoming = await addNode(world, 50, world.others[9]!);
    const leaving = group.roster[3]!;
    await send(world.c.ClusterRegistry, world.consumer, 'replaceMember', group.cluster, 0, group.packed, leaving, await offer(world, group.cluster, incoming));
    expect((await both(place, doubleBlockVote(place, 3, beneficiary))).kind).to.equal('guilty');
    expect(packRoster(group.roster)).to.equal(group.packed);
  });
});

/** Proofs that start at an inner node on the way of a leaf, presented as a leaf (path = inner hash, rowHash = meta). */
function* framingProof(proof: { steps: readonly { depth: number; sibling: string; siblingCount: bigint }[] }, path: Hex, rowHash: Hex) {
  let node = sha256(bytesOf(`${path}${rowHash.slice(2)}` as Hex));
  let count = 1n;
  for (let i = 0; i < proof.steps.length; i++) {
    const step = proof.steps[i]!;
    const right = (BigInt(path) >> BigInt(255 - step.depth)) & 1n;
    const [left, other] = right === 1n ? [bytesOf(step.sibling as Hex), node] : [node, bytesOf(step.sibling as Hex)];
    const inner = sha256(Uint8Array.from([...left, ...other]));
    count += step.siblingCount;
    const meta = new Uint8Array(32);
    new DataView(meta.buffer).setUint16(0, step.depth);
    new DataView(meta.buffer).setBigUint64(2, count);
    yield { terminal: { path: hexOf(inner) as never, rowHash: hexOf(meta) as never }, steps: proof.steps.slice(i + 1) as never };
    node = sha256(Uint8Array.from([...inner, ...meta]));
  }
}
