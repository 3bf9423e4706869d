/** The slashers at their bounds: what bare evidence cases leave open about places, heights, seconds and calls in one transaction. */
import { expect } from 'chai';
import { commitmentOf, decodeCall, encodeEvidence, judgeFlat, type Evidence } from '../../protocol/evidence/index.ts';
import type { Address, Hex, Path } from '../../protocol/types/index.ts';
import { beneficiary, guiltyCases, querier } from './all-cases.ts';
import {
  ackFork, answer, certified, doubleBlockVote, doubleProposal, falseAnswer, falseHistory, fastAck, forkedCertificates, h, treeOf, voteConflict, type Place,
} from './cases.ts';
import { calldataOf, impersonate, schedule, type Act } from './governance.ts';
import { both, contextOf, fresh, submit } from './judges.ts';
import { ethers, helpers, now, PINT, provider, send } from './world.ts';

const refused = (error: string): object => ({ kind: 'refused', error });
const vaultOf = (place: Place, name: string, ...args: readonly unknown[]) => place.world.c.StakeVault.getFunction(name)(...args);
const callOf = (evidence: Evidence): Hex => encodeEvidence(evidence).call;
const word64 = (value: bigint): string => value.toString(16).padStart(16, '0');
const idOf = (place: Place, index: number): string => ethers.getAddress(place.group.roster[index]!);

/** What the slash of a conviction promised: half of 2,000 PINT, a tenth to `reporter`, a fifth to the group's owner. */
const promised = (place: Place, reporter: string): readonly unknown[] => [reporter, 100n * PINT, place.group.group, ethers.ZeroAddress, 200n * PINT];

/** Both transactions in one block, in this order. */
async function inOneBlock(...sent: readonly (() => Promise<unknown>)[]): Promise<void> {
  await provider.send('evm_setAutomine', [false]);
  for (const each of sent) await each();
  await provider.send('evm_mine', []);
  await provider.send('evm_setAutomine', [true]);
}

describe('evidence at its bounds', () => {
  it('a place outside the roster is nobody\'s', async () => {
    const place = await fresh();
    for (const culprit of [4, 5, 255]) {
      const call = callOf({ ...doubleBlockVote(place, 0, beneficiary), culprit });
      const sent = place.world.watcher.sendTransaction({ to: await place.world.c.SlasherConsensus.getAddress(), data: call });
      await expect(sent, `${culprit}`).to.be.revertedWithCustomError(place.world.c.SlasherConsensus, 'UnknownRoster');
    }
  });

  it('an answer of another height contradicts no list', async () => {
    const place = await fresh();
    const at = await now();
    const shape = { stateRoot: h('another'), path: h('p') as Path, rowHash: h('r'), querier, issuedAt: at };
    for (const height of [39n, 41n]) {
      // the encoder puts nothing together that is not about one height: signed for the other one, and the bytes changed
      const { value, signature } = answer(place, 1, { ...shape, height });
      const call = callOf({ ...falseHistory(place, 1, querier, at, 'answer'), against: { kind: 'answer', value: { ...value, height: 40n }, signature } });
      const [minHeight, told] = [word64(30n), word64(40n)];
      expect(call.split(told + minHeight).length).to.equal(2);
      const bent = call.replace(told + minHeight, word64(height) + minHeight) as Hex;
      expect(await submit(place, 'SlasherAnswers', bent), `${height}`).to.deep.equal({ error: 'NotConflicting' });
      expect(judgeFlat(decodeCall(bent), await contextOf(place))).to.deep.equal(refused('NotConflicting'));
    }
  });

  it('of a list and an answer the older date counts for absolution, and neither may be later than now', async () => {
    const place = await fresh();
    const at = (await now()) + 1_000n;
    await helpers.time.increaseTo(at - 2n);
    const shape = { stateRoot: h('another'), path: h('p') as Path, rowHash: h('r'), querier };
    const told = (listedAt: bigint, answeredAt: bigint): Evidence =>
      ({ ...falseHistory(place, 1, querier, listedAt, 'answer'), against: { kind: 'answer', ...answer(place, 1, { ...shape, issuedAt: answeredAt }) } });
    const to = await place.world.c.SlasherAnswers.getAddress();
    const report = (evidence: Evidence) => place.world.watcher.sendTransaction({ to, data: callOf(evidence) });
    for (const [listedAt, answeredAt] of [[at + 1n, 5n], [5n, at + 1n]] as const) {
      await helpers.time.setNextBlockTimestamp(listedAt === 5n ? at : at - 1n);
      await expect(report(told(listedAt, answeredAt))).to.be.revertedWithCustomError(place.world.c.StakeVault, 'FutureAnswer').withArgs(at + 1n);
    }
    await helpers.time.setNextBlockTimestamp(at + 1n);
    await expect(report(told(at + 1n, 5n))).to.emit(place.world.c.StakeVault, 'Slashed');
    expect((await vaultOf(place, 'recordOfSigner', idOf(place, 1))).lastFaultAt).to.equal(at + 1n);
    await helpers.time.increase(200_000n);
    const late = await now();
    for (const [listedAt, answeredAt] of [[late, at], [at, late]] as const) {
      await expect(report(told(listedAt, answeredAt))).to.be.revertedWithCustomError(place.world.c.StakeVault, 'Absolved').withArgs(at + 1n + 86_400n);
    }
  });

  it('a commitment counts from the second before the slash, not from its own', async () => {
    for (const early of [false, true]) {
      const place = await fresh();
      const { SlasherConsensus } = place.world.c;
      const { watcher, consumer } = place.world;
      const thief = (await consumer.getAddress()) as Address;
      const mine = doubleBlockVote(place, 1, beneficiary);
      const to = await SlasherConsensus.getAddress();
      const copied = () => consumer.sendTransaction({ to, data: callOf({ ...mine, beneficiary: thief.toLowerCase() as Address }), gasLimit: 1_000_000 });
      const commit = () => send(SlasherConsensus, watcher, 'commit', commitmentOf(mine), { gasLimit: 100_000 });
      if (early) {
        const at = (await now()) + 50n;
        await helpers.time.setNextBlockTimestamp(at);
        await expect(commit()).to.emit(SlasherConsensus, 'Committed').withArgs(commitmentOf(mine));
        await helpers.time.setNextBlockTimestamp(at + 1n);
        await copied();
        expect(await SlasherConsensus.getFunction('committedAt')(commitmentOf(mine))).to.equal(at);
      } else await inOneBlock(commit, copied);
      expect((await vaultOf(place, 'bountyOf', idOf(place, 1))).since).to.equal(await now());
      const contest = send(SlasherConsensus, watcher, 'contest', promised(place, thief), callOf(mine));
      if (early) await expect(contest).to.emit(place.world.c.StakeVault, 'BountyMoved').withArgs(idOf(place, 1), thief, ethers.getAddress(beneficiary));
      else await expect(contest).to.be.revertedWithCustomError(SlasherConsensus, 'NotContested');
    }
  });

  it('the rest of a tombstoned node goes the way of every slash: a tenth, a fifth to the group\'s owner, void', async () => {
    const place = await fresh();
    const { SlasherConsensus, StakeVault } = place.world.c;
    const first = doubleBlockVote(place, 0, beneficiary);
    expect((await both(place, first)).kind).to.equal('guilty');
    const rest = () => send(SlasherConsensus, place.world.watcher, 'takeRest', callOf(first));
    await expect(rest()).to.be.revertedWithCustomError(SlasherConsensus, 'AlreadyPunished').withArgs(idOf(place, 0));
    expect((await both(place, doubleProposal(place, 1, beneficiary))).kind).to.equal('guilty');
    await expect(rest()).to.emit(StakeVault, 'Slashed')
      .withArgs(idOf(place, 0), 2n, 1_000n * PINT, 100n * PINT, ethers.getAddress(beneficiary), 200n * PINT, place.group.group, 3n);
    // a node that nobody convicted has no rest
    await expect(send(SlasherConsensus, place.world.watcher, 'takeRest', callOf(doubleBlockVote(place, 2, beneficiary))))
      .to.be.revertedWithCustomError(SlasherConsensus, 'AlreadyPunished').withArgs(idOf(place, 2));
  });

  it('looking again leaves no mark: the next report of the same transaction convicts', async () => {
    const place = await fresh();
    const { SlasherConsensus, PintGovernor, Authority } = place.world.c;
    const first = doubleBlockVote(place, 0, beneficiary);
    const [second, third] = [doubleProposal(place, 1, beneficiary), doubleProposal(place, 2, beneficiary)];
    const report = (evidence: Evidence): Act =>
      ({ target: SlasherConsensus, method: 'reportDoubleProposal', args: [`0x${argument(callOf(evidence))}`, beneficiary] });
    const acts: readonly Act[] = [{ target: SlasherConsensus, method: 'takeRest', args: [callOf(first)] }, report(third)];
    let ready = 0n;
    for (const act of acts) ready = await schedule(place.world, act);
    await helpers.time.increaseTo(ready);
    for (const evidence of [first, second]) expect((await both(place, evidence)).kind).to.equal('guilty');
    const target = await SlasherConsensus.getAddress();
    const calls = acts.map((act) => Authority.interface.encodeFunctionData('execute', [target, calldataOf(act)]));
    await send(Authority, await impersonate(PintGovernor), 'multicall', calls);
    expect((await vaultOf(place, 'accountOf', idOf(place, 0))).active).to.equal(0n);
    expect((await vaultOf(place, 'accountOf', idOf(place, 2))).status).to.equal(3n);
  });

  it('evidence ends where its last field does: one byte more or less convicts nobody', async () => {
    const place = await fresh();
    for (const evidence of guiltyCases(place, await now())) {
      const { slasher, call } = encodeEvidence(evidence);
      const contract = place.world.c[slasher];
      const to = await contract.getAddress();
      expect(await ethers.provider.call({ to, data: call }), evidence.kind).to.equal('0x');
      const longer = withEvidence(call, (bytes) => `${bytes}00`);
      await expect(ethers.provider.call({ to, data: longer }), evidence.kind).to.be.revertedWithCustomError(contract, 'WrongLength');
      const shorter = withEvidence(call, (bytes) => bytes.slice(0, -2));
      await expect(ethers.provider.call({ to, data: shorter }), evidence.kind).to.be.revert(ethers);
    }
  });

  it('forms and modes that do not exist, and an absence that a proof does not show, prove nothing', async () => {
    const place = await fresh();
    const at = await now();
    const body = 2 * (32 + 8 + 1 + 1 + 4 * 20); // hex digits of the head
    const cases: readonly (readonly [Evidence, number, string])[] = [
      [ackFork(place, 2, beneficiary, { kind: 'ack', ...fastAck(place, 2, { head: 'another head' }) }), 0, '02'],
      [voteConflict(place, 0, beneficiary), 72 + 96, '02'],
      [falseAnswer(place, 1, 'present', querier, at), 0, '05'],
      [falseHistory(place, 1, querier, at, 'list'), 0, '03'],
    ];
    for (const [evidence, byte, other] of cases) {
      const { slasher, call } = encodeEvidence(evidence);
      const from = 2 + body + 2 * byte;
      const bent = withEvidence(call, (bytes) => `${bytes.slice(0, from)}${other}${bytes.slice(from + 2)}`);
      expect(await submit(place, slasher, bent as Hex), evidence.kind).to.deep.equal({ error: 'BadProof' });
    }
    const { tree, root, leaves } = treeOf(50);
    const elsewhere = answer(place, 1, { stateRoot: root.hash, path: leaves[3]!.path, rowHash: h('lie'), querier, issuedAt: at });
    const proof = tree.prove(root, leaves[9]!.path);
    const evidence: Evidence = { ...falseAnswer(place, 1, 'absent', querier, at), answer: elsewhere, against: { kind: 'ownRoot', proof } };
    expect(await both(place, evidence)).to.deep.equal(refused('BadProof'));
  });

  it('the first member of a roster is one like the others', async () => {
    const place = await fresh();
    const evidence = { ...forkedCertificates(place, beneficiary), culprit: 0, second: certified(place, h('false'), 40n, [0, 1, 3]) };
    expect(await both(place, evidence)).to.deep.include({ kind: 'guilty', nodes: place.group.roster.slice(0, 2) });
  });

  it('two certificates convict those that signed both, once, and only them', async () => {
    const place = await fresh();
    const { SlasherCertificates } = place.world.c;
    const evidence = forkedCertificates(place, beneficiary);
    const signedOne = { ...evidence, culprit: 0 };
    expect(await both(place, signedOne)).to.deep.equal(refused('SignerMismatch'));
    expect((await both(place, evidence)).kind).to.equal('guilty');
    const statuses = await Promise.all([0, 1, 2, 3].map(async (i) => (await vaultOf(place, 'accountOf', idOf(place, i))).status));
    expect(statuses).to.deep.equal([1n, 3n, 3n, 1n]);
    await expect(place.world.watcher.sendTransaction({ to: await SlasherCertificates.getAddress(), data: callOf(evidence) }))
      .to.be.revertedWithCustomError(SlasherCertificates, 'AlreadyPunished').withArgs(idOf(place, evidence.culprit));
    await expect(send(SlasherCertificates, place.world.watcher, 'takeRest', callOf(evidence)))
      .to.be.revertedWithCustomError(SlasherCertificates, 'AlreadyPunished');
  });
});

/** The call with its evidence, the first argument, made into another. */
function withEvidence(call: Hex, change: (evidence: Hex) => string): string {
  const types = call.length > 2 + 8 + 64 && BigInt(`0x${call.slice(10, 74)}`) === 64n ? ['bytes', 'address'] : ['bytes'];
  const coder = ethers.AbiCoder.defaultAbiCoder();
  const [evidence, ...rest] = coder.decode(types, `0x${call.slice(10)}`) as unknown as [Hex, ...string[]];
  return `${call.slice(0, 10)}${coder.encode(types, [change(evidence), ...rest]).slice(2)}`;
}

/** The evidence inside a call, the first argument. */
function argument(call: Hex): string {
  const [data] = ethers.AbiCoder.defaultAbiCoder().decode(['bytes'], `0x${call.slice(10)}`) as unknown as [string];
  return data.slice(2);
}
