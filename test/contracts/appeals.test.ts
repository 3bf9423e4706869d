import { expect } from 'chai';
import { h } from './cases.ts';
import {
  appeal, APPEAL_BOND, answer, at, balance, BOND, books, BY, commit, committee, court, draw, FEE, hear, judged, KIND, open, openStatement, owed, past, reveal,
  settle, stage, stakeOf, statementOf, VERDICT, verdictOf, type Case,
} from './dispute-cases.ts';
import { enact } from './governance.ts';
import { addNode, compactOf, DAY, ethers, helpers, now, PINT, send, sign } from './world.ts';

const refused = (place: Case, call: Promise<unknown>, name: string, ...args: unknown[]) =>
  expect(call).to.be.revertedWithCustomError(court(place), name).withArgs(...args);
const cost = (stake: bigint): bigint => stake / 10n;

describe('DisputeCourt: appeals', () => {
  it('committee bribery: a larger committee of other seats can turn a verdict; the appeal bond comes back and the other side pays both', async () => {
    const place = await stage();
    await openStatement(place);
    await answer(place);
    const stake = await stakeOf(place);
    await hear(place, 7, 0);
    const { openedAt } = await court(place).getFunction('disputeOf')(1n);
    const owner = place.accused.owner;
    await at(place, BY.reveal);
    await refused(place, appeal(place, owner), 'TooEarly', (openedAt as bigint) + BY.reveal + 1n);
    await at(place, BY.reveal + 1n);
    await refused(place, appeal(place, place.plaintiff), 'NotTheLoser', await place.plaintiff.getAddress());
    await refused(place, appeal(place, owner, 1n, 'x'.repeat(513)), 'UriTooLong', 513n);
    await at(place, BY.appeal);
    const height = BigInt(await ethers.provider.getBlockNumber());
    await expect(appeal(place, owner)).to.emit(court(place), 'DisputeAppealed')
      .withArgs(1n, await owner.getAddress(), height + 65n, h('again'), 'b');
    await refused(place, appeal(place, owner), 'AlreadyAppealed');
    await hear(place, 6, 8, 1);
    const [first, second] = [await committee(place, 0), await committee(place, 1)];
    expect(second).to.have.length(15);
    expect(second.filter((seat) => first.includes(seat))).to.deep.equal([]);
    await at(place, BY.revealAgain);
    await refused(place, settle(place), 'TooEarly', (openedAt as bigint) + BY.revealAgain + 1n);
    await at(place, BY.revealAgain + 1n);
    await expect(settle(place)).to.emit(court(place), 'DisputeSettled').withArgs(1n, VERDICT.rejected, 0n, 15n * FEE);
    expect(await stakeOf(place)).to.equal(stake);
    expect(await owed(place, owner)).to.equal(2n * BOND + APPEAL_BOND - 15n * FEE); // nobody of the first committee voted so: it earns no fee
    const [held, debts, deposits, units] = await books(place, 0n);
    expect([held, deposits]).to.deep.equal([debts, units]);
  });

  it('an appeal that is lost costs its bond; both committees earn', async () => {
    const place = await stage();
    await open(place);
    await answer(place);
    await hear(place, 1, 6);
    await past(place, BY.reveal);
    await appeal(place, place.plaintiff);
    await hear(place, 2, 13, 1);
    await past(place, BY.revealAgain);
    await expect(settle(place)).to.emit(court(place), 'DisputeSettled').withArgs(1n, VERDICT.rejected, 0n, 22n * FEE);
    expect(await owed(place, place.accused.owner)).to.equal(2n * BOND + APPEAL_BOND - 22n * FEE);
    expect(await owed(place, place.plaintiff)).to.equal(0n);
  });

  it('a second committee that decides nothing leaves the first verdict', async () => {
    const place = await stage();
    await open(place);
    const stake = await stakeOf(place);
    await hear(place, 5, 0);
    await past(place, BY.reveal);
    await appeal(place, place.accused.owner);
    await hear(place, 10, 5, 1);
    await past(place, BY.revealAgain);
    await settle(place);
    expect(await verdictOf(place)).to.equal(VERDICT.upheld);
    expect(await stakeOf(place)).to.equal(stake - cost(stake));
    expect(await owed(place, place.plaintiff)).to.equal(BOND + APPEAL_BOND - 22n * FEE);
  });

  it('an appeal that no committee could hear returns its bond, and the first verdict stands', async () => {
    const place = await stage();
    await open(place);
    await hear(place, 5, 0);
    await past(place, BY.reveal);
    await appeal(place, place.accused.owner);
    await past(place, BY.revealAgain);
    await settle(place);
    expect(await verdictOf(place)).to.equal(VERDICT.upheld);
    expect(await owed(place, place.accused.owner)).to.equal(APPEAL_BOND);
    expect(await owed(place, place.plaintiff)).to.equal(BOND - 7n * FEE);
  });

  it('there is nothing to appeal without a verdict, and no time after a day', async () => {
    const place = await stage();
    await open(place);
    await open(place, { claim: h('two') });
    await hear(place, 0, 4, 0, 2n);
    await past(place, BY.reveal, 2n);
    await refused(place, appeal(place, place.plaintiff), 'NothingToAppeal', VERDICT.undecided);
    await past(place, BY.appeal, 2n);
    const { openedAt } = await court(place).getFunction('disputeOf')(2n);
    await refused(place, appeal(place, place.plaintiff, 2n), 'TooLate', (openedAt as bigint) + BY.appeal);
  });
});

describe('DisputeCourt: against whom and how much', () => {
  it('admin abuse: verdicts take at most a fifth of a node\'s stake in any week', async () => {
    const place = await stage();
    const stake = await stakeOf(place);
    const claims = ['a', 'b', 'c', 'd'].map(h);
    for (const claim of claims) await open(place, { claim });
    for (let id = 1n; id <= 4n; id++) await draw(place, 0, id);
    await past(place, BY.answer, 4n);
    for (let id = 1n; id <= 4n; id++) await voteAll(place, id);
    await past(place, BY.commit, 4n);
    for (let id = 1n; id <= 4n; id++) await revealAll(place, id);
    await past(place, BY.appeal, 4n);
    for (let id = 1n; id <= 4n; id++) await settle(place, id);
    const taken = stake - (await stakeOf(place));
    expect(taken <= (stake * 2_000n) / 10_000n).to.equal(true);
    expect(taken > (stake * 1_999n) / 10_000n).to.equal(true);
    expect(await court(place).getFunction('penaltyOf')(KIND.falseEgress, place.accused.address) < PINT).to.equal(true);
    await helpers.time.increase(7n * DAY);
    expect(await court(place).getFunction('penaltyOf')(KIND.falseEgress, place.accused.address)).to.equal((await stakeOf(place)) / 10n);
    expect(await court(place).getFunction('penaltyOf')(KIND.falseRegion, place.accused.address)).to.equal((await stakeOf(place)) / 20n);
  });

  it('all nodes together lose at most a fiftieth of what the vault holds', async () => {
    const place = await stage();
    const { world } = place;
    const rich = await addNode(world, 300, world.others[16]!, { stake: 200_000n * PINT });
    const held = await balance(place, await world.c.StakeVault.getAddress());
    expect(await court(place).getFunction('penaltyOf')(KIND.falseEgress, rich.address)).to.equal((held * 200n) / 10_000n);
  });

  it('slash reverts (DoS): a court that was removed as a slasher still ends its disputes', async () => {
    const place = await stage();
    await open(place);
    await hear(place, 7, 0);
    await send(place.world.c.StakeVault, place.world.admin, 'removeSlasher', await court(place).getAddress());
    await past(place, BY.appeal);
    const stake = await stakeOf(place);
    await expect(settle(place)).to.emit(court(place), 'DisputeSettled').withArgs(1n, VERDICT.upheld, 0n, 7n * FEE);
    expect(await stakeOf(place)).to.equal(stake);
    expect(await owed(place, place.plaintiff)).to.equal(BOND - 7n * FEE);
  });

  it('slash front-run by withdrawal: what is unbonding is still there after the longest dispute', async () => {
    const place = await stage();
    const { world, accused, group } = place;
    await send(world.c.ClusterRegistry, world.consumer, 'closeGroup', group.cluster, group.index, group.packed);
    await send(world.c.NodeRegistry, accused.owner, 'setResources', accused.address, [0, 0, 0, 0, 0]);
    const stake = await stakeOf(place);
    await send(world.c.StakeVault, accused.owner, 'requestUnbond', accused.address, stake);
    await helpers.time.increase(14n * DAY - 100n);
    await openStatement(place);
    await hear(place, 7, 0);
    await past(place, BY.reveal);
    await appeal(place, accused.owner);
    await hear(place, 15, 0, 1);
    await past(place, BY.revealAgain);
    await expect(send(world.c.StakeVault, accused.owner, 'withdraw', accused.address)).to.be.revertedWithCustomError(world.c.StakeVault, 'StillLocked');
    await settle(place);
    expect(await stakeOf(place)).to.equal(stake - cost(stake));
  });

  it('replay of evidence, double slash: a judged statement is judged for ever, another one is another matter', async () => {
    const place = await stage();
    await openStatement(place);
    await judged(place, 7, 0);
    await refused(place, openStatement(place), 'AlreadyDisputed', 1n);
    await expect(openStatement(place, place.plaintiff, { seq: 2n })).to.emit(court(place), 'DisputeOpened');
  });

  it('signature malleability: another form of the same signature is the same statement', async () => {
    const place = await stage();
    await openStatement(place);
    const statement = statementOf(place);
    const compact = compactOf(sign(place.world, place.accused, 'Statement', statement));
    const again = send(court(place), place.plaintiff, 'openStatement', Object.values(statement), ethers.concat(compact), 'u');
    await refused(place, again, 'AlreadyDisputed', 1n);
  });

  it('self-slash for profit, instant exit: a plaintiff earns a fifth of what is taken, after the time of unbonding', async () => {
    const place = await stage();
    const stake = await stakeOf(place);
    await open(place);
    await judged(place, 7, 0);
    const { amount, vestAt } = await place.world.c.StakeVault.getFunction('creditOf')(await place.plaintiff.getAddress());
    expect([amount, vestAt]).to.deep.equal([cost(stake) / 5n, (await now()) + 22n * DAY]);
    expect(await place.world.c.StakeVault.getFunction('burnPot')()).to.equal((cost(stake) * 4n) / 5n); // no group: nobody else earns
  });

  it('retroactive parameters: a shorter notice of draws moves no block that was fixed', async () => {
    const place = await stage();
    await open(place);
    const { seedBlock } = await court(place).getFunction('roundOf')(1n, 0);
    await enact(place.world, { target: place.world.c.SystemParams, method: 'setDraw', args: [{ delay: 2 }] });
    expect((await court(place).getFunction('roundOf')(1n, 0)).seedBlock).to.equal(seedBlock);
    await open(place, { claim: h('later') });
    expect((await court(place).getFunction('roundOf')(2n, 0)).seedBlock).to.equal(BigInt(await ethers.provider.getBlockNumber()) + 2n);
  });

  it('key collisions: the same hash as another kind of claim, or against another node, is another matter', async () => {
    const place = await stage();
    await openStatement(place);
    const { claim } = await court(place).getFunction('disputeOf')(1n);
    await expect(open(place, { claim })).to.emit(court(place), 'DisputeOpened');
    await expect(open(place, { claim, node: place.group.members[2]!.address })).to.emit(court(place), 'DisputeOpened');
  });
});

async function voteAll(place: Case, id: bigint): Promise<void> {
  for (let i = 0; i < 7; i++) await commit(place, 0, i, VERDICT.upheld, id);
}
async function revealAll(place: Case, id: bigint): Promise<void> {
  for (let i = 0; i < 7; i++) await reveal(place, i, VERDICT.upheld, id);
}
