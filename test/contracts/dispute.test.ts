import { expect } from 'chai';
import { ZERO_HASH } from '../../protocol/types/index.ts';
import { h } from './cases.ts';
import {
  answer, appeal, at, balance, BOND, books, BY, court, draw, enrich, FEE, FINE, hear, judged, jurorOf, committee, KIND, open, openStatement,
  owed, past, settle, stage, stakeOf, statementOf, VERDICT, verdictOf, type Case,
} from './dispute-cases.ts';
import { DAY, deployed, ethers, helpers, keyOf, now, PINT, send } from './world.ts';

const refused = (place: Case, call: Promise<unknown>, name: string, ...args: unknown[]) =>
  expect(call).to.be.revertedWithCustomError(court(place), name).withArgs(...args);
const node = ({ accused }: Case): string => ethers.getAddress(accused.address);
const cost = (stake: bigint): bigint => stake / 10n;

describe('DisputeCourt: opening and answering', () => {
  it('P-6.5-lying-consumer: a querier disputes a signed result; bond, claim, group and the block of the seed are fixed at once', async () => {
    const place = await stage();
    const me = await place.plaintiff.getAddress();
    const digest = ethers.TypedDataEncoder.hash(
      { name: 'Picolo', version: '1', chainId: 31337, verifyingContract: place.world.domain.verifyingContract },
      { Statement: [
        { name: 'group', type: 'bytes32' }, { name: 'epoch', type: 'uint64' }, { name: 'height', type: 'uint64' }, { name: 'snapshot', type: 'uint96' },
        { name: 'queryHash', type: 'bytes32' }, { name: 'resultHash', type: 'bytes32' }, { name: 'querier', type: 'address' },
        { name: 'seq', type: 'uint64' }, { name: 'issuedAt', type: 'uint64' },
      ] },
      statementOf(place, { querier: me }),
    );
    const height = BigInt(await ethers.provider.getBlockNumber());
    const opening = openStatement(place, place.plaintiff, { querier: me });
    await expect(opening).to.emit(court(place), 'DisputeOpened')
      .withArgs(1n, node(place), me, KIND.wrongResult, place.group.group, digest, height + 65n, 'https://evidence.example/1');
    await expect(opening).to.changeTokenBalances(ethers, place.world.c.PintToken, [place.plaintiff, court(place)], [-BOND, BOND]);
    const dispute = await court(place).getFunction('disputeOf')(1n);
    expect([...dispute]).to.deep.equal([me, await now(), 0n, 0n, false, false, node(place), 36n, digest, place.group.group]);
    expect(await court(place).getFunction('disputeCount')()).to.equal(1n);
    expect((await court(place).getFunction('roundOf')(1n, 0)).seedBlock).to.equal(height + 65n);
    expect([...(await court(place).getFunction('deadlinesOf')(1n))].map((time: bigint) => time - dispute.openedAt)).to.deep.equal(Object.values(BY));
  });

  it('evidence stealing: a statement is its querier\'s; one that names nobody is anybody\'s', async () => {
    const place = await stage();
    const me = await place.plaintiff.getAddress();
    await enrich(place.world, place.world.consumer, BOND);
    await refused(place, openStatement(place, place.world.consumer, { querier: me }), 'NotQuerier', me);
    await expect(openStatement(place, place.world.consumer)).to.emit(court(place), 'DisputeOpened');
  });

  it('only what a node signed in a known epoch within the evidence window', async () => {
    const place = await stage();
    const { world, group } = place;
    await expect(openStatement(place, place.plaintiff, {}, { key: keyOf(900) }))
      .to.be.revertedWithCustomError(court(place), 'UnknownSigner');
    const statement = Object.values(statementOf(place));
    await refused(place, send(court(place), place.plaintiff, 'openStatement', statement, '0x1234', ''), 'UnknownSigner', ethers.ZeroAddress);
    await refused(place, openStatement(place, place.plaintiff, { epoch: 2n }), 'UnknownEpoch', group.group, 2n);
    await send(world.c.ClusterRegistry, world.consumer, 'closeGroup', group.cluster, group.index, group.packed);
    const endedAt = await now();
    await helpers.time.setNextBlockTimestamp(endedAt + 14n * DAY);
    await expect(openStatement(place)).to.emit(court(place), 'DisputeOpened');
    await refused(place, openStatement(place, place.plaintiff, { seq: 2n }), 'EvidenceExpired', endedAt);
  });

  it('other claims carry a hash; a wrong result needs its statement', async () => {
    const place = await stage();
    await refused(place, open(place, { kind: KIND.wrongResult }), 'StatementNeeded');
    for (const kind of [KIND.withheld, KIND.falseEgress, KIND.falseRegion]) {
      await expect(open(place, { kind })).to.emit(court(place), 'DisputeOpened');
      expect((await court(place).getFunction('disputeOf')(await court(place).getFunction('disputeCount')())).group).to.equal(ZERO_HASH);
    }
  });

  it('griefing nodes (cheap accusations): a bond, an active node, not one\'s own, once per claim', async () => {
    const place = await stage();
    const { world, accused } = place;
    await expect(open(place, { from: world.consumer })).to.be.revertedWithCustomError(world.c.PintToken, 'ERC20InsufficientAllowance');
    await refused(place, open(place, { node: await world.consumer.getAddress() }), 'NodeNotActive', await world.consumer.getAddress());
    await refused(place, open(place, { from: accused.owner }), 'OwnNode', node(place));
    await refused(place, open(place, { uri: 'x'.repeat(513) }), 'UriTooLong', 513n);
    await expect(open(place, { uri: 'x'.repeat(512) })).to.emit(court(place), 'DisputeOpened');
    await refused(place, open(place), 'AlreadyDisputed', 1n);
    await expect(open(place, { claim: h('other') })).to.emit(court(place), 'DisputeOpened');
    await expect(open(place, { kind: KIND.withheld })).to.emit(court(place), 'DisputeOpened');
  });

  it('the owner answers with a bond, until the last second of a day, once', async () => {
    const place = await stage();
    await open(place);
    await refused(place, answer(place, 1n, place.world.consumer), 'NotOwner', node(place), await place.world.consumer.getAddress());
    await refused(place, answer(place, 2n), 'UnknownDispute', 2n);
    await refused(place, answer(place, 1n, place.accused.owner, 'x'.repeat(513)), 'UriTooLong', 513n);
    await at(place, BY.answer);
    await expect(answer(place)).to.emit(court(place), 'DisputeAnswered').withArgs(1n, h('reason'), 'a');
    await open(place, { claim: h('second') });
    await answer(place, 2n);
    await refused(place, answer(place, 2n), 'AlreadyAnswered');
    const { openedAt } = await court(place).getFunction('disputeOf')(1n);
    await refused(place, answer(place), 'TooLate', (openedAt as bigint) + BY.answer);
  });

  it('duration overflow, unsafe casts: a court whose disputes do not fit the vault\'s dispute time cannot be deployed', async () => {
    expect(await deployed({ dispute: 7n * DAY - 1n }).then(() => 'deployed', String)).to.match(/DoesNotFit|reverted/);
    await deployed({ dispute: 7n * DAY });
  });
});

describe('DisputeCourt: verdicts and money', () => {
  it('P-6.5-committee: more than two thirds convict; stake is taken through the vault, bonds and fees are credited', async () => {
    const place = await stage();
    await openStatement(place);
    await answer(place);
    const stake = await stakeOf(place);
    expect(await court(place).getFunction('penaltyOf')(KIND.wrongResult, place.accused.address)).to.equal(cost(stake));
    await hear(place, 5, 2);
    const { openedAt } = await court(place).getFunction('disputeOf')(1n);
    await at(place, BY.appeal);
    await refused(place, settle(place), 'TooEarly', (openedAt as bigint) + BY.appeal + 1n);
    await at(place, BY.appeal + 1n);
    const jurors = await Promise.all((await committee(place)).slice(0, 5).map((seat) => jurorOf(place, seat)));
    const done = settle(place);
    await expect(done).to.emit(court(place), 'DisputeSettled').withArgs(1n, VERDICT.upheld, cost(stake), 7n * FEE);
    await expect(done).to.emit(place.world.c.StakeVault, 'Slashed').withArgs(
      node(place), 21n, cost(stake), cost(stake) / 5n, await place.plaintiff.getAddress(), (cost(stake) * 3n) / 10n, place.group.group, 1n,
    );
    expect(await stakeOf(place)).to.equal(stake - cost(stake));
    expect(await owed(place, place.plaintiff)).to.equal(2n * BOND - 7n * FEE);
    expect(await owed(place, place.accused.owner)).to.equal(0n);
    const places = jurors.filter((juror) => juror === jurors[0]).length;
    expect(await owed(place, jurors[0]!)).to.equal(BigInt(places) * 7n * PINT);
    expect(await verdictOf(place)).to.equal(VERDICT.upheld);
    const [held, debts, deposits, units] = await books(place, 0n);
    expect([held, deposits]).to.deep.equal([debts, units]);
  });

  it('P-6.5-lying-consumer: an honest provider keeps its deposit, the accuser pays', async () => {
    const place = await stage();
    await open(place);
    await answer(place);
    const stake = await stakeOf(place);
    await expect(judged(place, 3, 4)).to.emit(court(place), 'DisputeSettled').withArgs(1n, VERDICT.rejected, 0n, 7n * FEE);
    expect(await stakeOf(place)).to.equal(stake);
    expect(await owed(place, place.accused.owner)).to.equal(2n * BOND - 7n * FEE);
    expect(await owed(place, place.plaintiff)).to.equal(0n);
    await refused(place, open(place), 'AlreadyDisputed', 1n);
  });

  it('without an answer the plaintiff\'s bond goes to whoever wins, less the fees', async () => {
    const place = await stage();
    await open(place);
    await open(place, { claim: h('two') });
    await hear(place, 7, 0, 0, 1n);
    await past(place, BY.appeal, 2n);
    await settle(place, 1n);
    expect(await owed(place, place.plaintiff)).to.equal(BOND - 7n * FEE);
    await settle(place, 2n); // nobody drew its committee
    expect(await owed(place, place.plaintiff)).to.equal(2n * BOND - 7n * FEE);
    expect(await verdictOf(place, 2n)).to.equal(VERDICT.undecided);
  });

  it('a divided committee decides nothing: bonds go back less its fees, and the claim may be disputed again', async () => {
    const place = await stage();
    await open(place);
    await answer(place);
    await hear(place, 4, 3);
    const { openedAt } = await court(place).getFunction('disputeOf')(1n);
    await at(place, BY.reveal);
    await refused(place, settle(place), 'TooEarly', (openedAt as bigint) + BY.reveal + 1n);
    await at(place, BY.reveal + 1n);
    await expect(settle(place)).to.emit(court(place), 'DisputeSettled').withArgs(1n, VERDICT.undecided, 0n, 7n * FEE);
    expect([await owed(place, place.plaintiff), await owed(place, place.accused.owner)]).to.deep.equal([BOND - 7n * FEE, BOND]);
    await refused(place, settle(place), 'Settled', VERDICT.undecided);
    await expect(open(place)).to.emit(court(place), 'DisputeOpened');
    const [held, debts] = await books(place, BOND);
    expect(held).to.equal(debts);
  });

  it('a committee that stays away: every bond goes back whole, who came shares the fines of the others', async () => {
    const place = await stage();
    await open(place);
    await hear(place, 2, 1);
    await past(place, BY.reveal);
    const done = settle(place);
    await expect(done).to.emit(court(place), 'DisputeSettled').withArgs(1n, VERDICT.undecided, 0n, 0n);
    expect(await owed(place, place.plaintiff)).to.equal(BOND);
    const drawn = await committee(place);
    const came = await Promise.all(drawn.slice(0, 3).map((seat) => jurorOf(place, seat)));
    const share = (4n * FINE) / 3n;
    expect(await owed(place, came[0]!)).to.equal(share * BigInt(came.filter((juror) => juror === came[0]).length));
    await expect(done).to.emit(place.world.c.JurorSeats, 'SeatFined').withArgs(drawn[6]!, FINE);
    await expect(done).to.changeTokenBalance(ethers, place.world.c.PintToken, court(place), 4n * FINE - (4n * FINE - share * 3n));
  });

  it('when nobody comes, the fines burn', async () => {
    const place = await stage();
    await open(place);
    await draw(place);
    await past(place, BY.reveal);
    const before = await place.world.c.PintToken.getFunction('totalSupply')();
    await settle(place);
    expect(before - (await place.world.c.PintToken.getFunction('totalSupply')())).to.equal(7n * FINE);
    expect(await owed(place, place.plaintiff)).to.equal(BOND);
  });

  it('one third absent or bought prevents a conviction, and wins none', async () => {
    const place = await stage();
    await open(place);
    await judged(place, 4, 0);
    expect(await verdictOf(place)).to.equal(VERDICT.undecided);
    expect(await owed(place, place.plaintiff)).to.equal(BOND - 4n * FEE);
  });

  it('credits are pulled, by anybody, to their owner', async () => {
    const place = await stage();
    await open(place);
    await past(place, BY.reveal);
    await settle(place);
    const me = await place.plaintiff.getAddress();
    const collecting = send(court(place), place.world.consumer, 'collect', me);
    await expect(collecting).to.emit(court(place), 'Collected').withArgs(me, BOND);
    await expect(collecting).to.changeTokenBalance(ethers, place.world.c.PintToken, place.plaintiff, BOND);
    await refused(place, send(court(place), place.world.consumer, 'collect', me), 'NothingOwed', me);
    expect(await balance(place, await court(place).getAddress())).to.equal(0n);
  });

  it('a settled dispute takes no more acts', async () => {
    const place = await stage();
    await open(place);
    await past(place, BY.reveal);
    await settle(place);
    for (const call of [answer(place), appeal(place, place.plaintiff), settle(place), send(court(place), place.plaintiff, 'moveSeed', 1n)]) {
      await refused(place, call, 'Settled', VERDICT.undecided);
    }
  });
});
