import { expect } from 'chai';
import { h } from './cases.ts';
import { headerOf } from '../../sdk/operator/draw.ts';
import {
  at, BY, commit, commitmentOf, committee, court, draw, enrich, FINE, hear, jurorOf, open, past, reveal, SALT, SEAT, seats, seedHeader, settle, stage,
  takeSeats, VERDICT, type Case,
} from './dispute-cases.ts';
import { addNode, DAY, ethers, helpers, now, send } from './world.ts';

const LEAVE = 8n * DAY;
const refused = (place: Case, call: Promise<unknown>, name: string, ...args: unknown[]) =>
  expect(call).to.be.revertedWithCustomError(court(place), name).withArgs(...args);
const unseated = (place: Case, call: Promise<unknown>, name: string, ...args: unknown[]) =>
  expect(call).to.be.revertedWithCustomError(seats(place), name).withArgs(...args);
const take = (place: Case, at: number, count: number) => send(seats(place), place.jurors[at]!.owner, 'takeSeats', place.jurors[at]!.address, count);
const leave = (place: Case, at: number, list: readonly number[]) => send(seats(place), place.jurors[at]!.owner, 'leaveSeats', list);
const giveBack = (place: Case, list: readonly number[]) => send(seats(place), place.world.watcher, 'returnSeats', list);
const seatOf = async (place: Case, seat: bigint | number) => seats(place).getFunction('seatOf')(seat);

describe('JurorSeats', () => {
  it('the owner of a serving node takes seats, each with its deposit', async () => {
    const place = await stage();
    const { world, jurors } = place;
    const { owner, address } = jurors[0]!;
    await enrich(world, owner, 40n * SEAT);
    const taking = take(place, 0, 2);
    await expect(taking).to.emit(seats(place), 'SeatTaken').withArgs(36n, ethers.getAddress(address), await owner.getAddress());
    await expect(taking).to.emit(seats(place), 'SeatTaken').withArgs(37n, ethers.getAddress(address), await owner.getAddress());
    await expect(taking).to.changeTokenBalances(ethers, world.c.PintToken, [owner, seats(place)], [-2n * SEAT, 2n * SEAT]);
    expect([...(await seatOf(place, 37))]).to.deep.equal([ethers.getAddress(address), await now(), 0n, 50n, 0n]);
    expect(await seats(place).getFunction('seatCount')()).to.equal(38n);
    expect(await seats(place).getFunction('jurorOf')(37)).to.equal(await owner.getAddress());
    await unseated(place, take(place, 0, 0), 'BadCount', 0n);
    await unseated(place, take(place, 0, 33), 'BadCount', 33n);
    await take(place, 0, 32);
    const stranger = await world.consumer.getAddress();
    await unseated(place, send(seats(place), world.consumer, 'takeSeats', address, 1), 'NotOwner', ethers.getAddress(address), stranger);
    expect([...(await seatOf(place, 500))]).to.deep.equal([ethers.ZeroAddress, 0n, 0n, 0n, 0n]);
  });

  it('a convicted node\'s owner takes no seat', async () => {
    const place = await stage();
    const { world, jurors } = place;
    await send(world.c.StakeVault, world.admin, 'proposeSlasher', await world.admin.getAddress());
    await helpers.time.increase(24n * DAY);
    await send(world.c.StakeVault, world.admin, 'acceptSlasher', await world.admin.getAddress());
    await send(world.c.StakeVault, world.admin, 'convict', jurors[0]!.address, h('g'), 1, false, ethers.ZeroAddress);
    await unseated(place, take(place, 0, 1), 'NodeNotActive', ethers.getAddress(jurors[0]!.address));
  });

  it('leaving takes longer than any dispute; what comes back can be taken by others', async () => {
    const place = await stage();
    const { world, jurors } = place;
    const owner = jurors[0]!.owner;
    await unseated(place, leave(place, 1, [0]), 'NotOwner', ethers.getAddress(jurors[0]!.address), await jurors[1]!.owner.getAddress());
    await unseated(place, leave(place, 0, []), 'BadCount', 0n);
    await unseated(place, leave(place, 0, [99]), 'UnknownSeat', 99n);
    await unseated(place, giveBack(place, [0]), 'SeatNotLeft', 0n);
    const leaving = leave(place, 0, [0, 1]);
    await leaving;
    const left = await now();
    await expect(leaving).to.emit(seats(place), 'SeatLeft').withArgs(0n, left + LEAVE);
    await unseated(place, leave(place, 0, [1]), 'SeatGone', 1n);
    await helpers.time.setNextBlockTimestamp(left + LEAVE - 1n);
    await unseated(place, giveBack(place, [0]), 'StillLocked', left + LEAVE);
    await helpers.time.setNextBlockTimestamp(left + LEAVE);
    const back = giveBack(place, [0, 1]);
    await expect(back).to.emit(seats(place), 'SeatReturned').withArgs(1n, await owner.getAddress(), SEAT);
    await expect(back).to.changeTokenBalances(ethers, world.c.PintToken, [owner, seats(place)], [2n * SEAT, -2n * SEAT]);
    await unseated(place, giveBack(place, [0]), 'UnknownSeat', 0n);
    await enrich(world, jurors[1]!.owner, 3n * SEAT);
    await expect(take(place, 1, 3)).to.emit(seats(place), 'SeatTaken').withArgs(36n, ethers.getAddress(jurors[1]!.address), await jurors[1]!.owner.getAddress());
    for (const seat of [0, 1, 36]) expect((await seatOf(place, seat)).node).to.equal(ethers.getAddress(jurors[1]!.address));
    expect(await seats(place).getFunction('seatCount')()).to.equal(37n);
  });

  it('bounded list filled by others: seats that were given back do not keep later draws from finding a committee', async () => {
    const place = await stage();
    await enrich(place.world, place.jurors[5]!.owner, 96n * SEAT);
    for (let i = 0; i < 3; i++) await take(place, 5, 32);
    const mine = Array.from({ length: 96 }, (_, i) => 36 + i);
    for (let i = 0; i < 3; i++) await leave(place, 5, mine.slice(32 * i, 32 * i + 32));
    await helpers.time.increase(LEAVE);
    for (let i = 0; i < 3; i++) await giveBack(place, mine.slice(32 * i, 32 * i + 32));
    for (let who = 1; who < 5; who++) await leave(place, who, [0, 1, 2, 3, 4, 5].map((seat) => 6 * who + seat));
    await leave(place, 5, [30, 31, 32, 33]); // eight of 132 count
    await open(place);
    await helpers.setPrevRandao(1n);
    const header = await seedHeader(place);
    for (let calls = 0; calls < 3 && (await committee(place)).length < 7; calls++) await send(court(place), place.world.watcher, 'draw', 1n, header);
    expect((await court(place).getFunction('roundOf')(1n, 0)).cursor > 64n).to.equal(true);
    expect(await committee(place)).to.have.length(7);
    expect((await committee(place)).every((seat) => seat < 36n)).to.equal(true);
  });

  it('only the court gives duties and fines', async () => {
    const place = await stage();
    const me = await place.world.watcher.getAddress();
    await unseated(place, send(seats(place), place.world.watcher, 'summon', [1]), 'NotCourt', me);
    await unseated(place, send(seats(place), place.world.watcher, 'dismiss', [1], 1), 'NotCourt', me);
  });

  it('a seat on duty cannot be taken back, however long the dispute waits to be settled; a fine stays paid', async () => {
    const place = await stage();
    await open(place);
    await draw(place);
    const [first] = await committee(place);
    expect((await seatOf(place, first!)).duties).to.equal(1n);
    const juror = await jurorOf(place, first!);
    await send(seats(place), juror, 'leaveSeats', [first]);
    await helpers.time.increase(LEAVE + DAY);
    await unseated(place, giveBack(place, [Number(first)]), 'SeatOnDuty', first);
    await settle(place);
    await expect(giveBack(place, [Number(first)])).to.emit(seats(place), 'SeatReturned').withArgs(first, await juror.getAddress(), SEAT - FINE);
  });
});

describe('DisputeCourt: committees', () => {
  it('P-6.5-committee: the committee can be computed again from the randomness of a block that was fixed before it existed', async () => {
    const place = await stage();
    await open(place);
    const { seedBlock } = await court(place).getFunction('roundOf')(1n, 0);
    const premature = await headerOf(ethers.provider as never, BigInt(await ethers.provider.getBlockNumber()));
    await expect(send(court(place), place.world.watcher, 'draw', 1n, premature)).to.be.revertedWithCustomError(seats(place), 'WrongHeader');
    const header = await seedHeader(place);
    const drawing = send(court(place), place.world.watcher, 'draw', 1n, header);
    const { mixHash } = (await ethers.provider.send('eth_getBlockByNumber', [`0x${seedBlock.toString(16)}`, false])) as { mixHash: string };
    const coder = ethers.AbiCoder.defaultAbiCoder();
    const mine = ethers.keccak256(coder.encode(['uint256', 'uint256'], [1n, 0n]));
    const seed = ethers.keccak256(coder.encode(['bytes32', 'bytes32'], [mixHash, mine]));
    await expect(drawing).to.emit(court(place), 'CommitteeDrawn');
    const drawn = await committee(place);
    const [found] = await seats(place).getFunction('find')([
      seed, 36n, 0n, 64n, 7n, (await court(place).getFunction('disputeOf')(1n)).openedAt, await place.plaintiff.getAddress(),
      await place.accused.owner.getAddress(), [],
    ]);
    expect(drawn).to.deep.equal([...found]);
    expect(new Set(drawn).size).to.equal(7);
    await refused(place, send(court(place), place.world.watcher, 'draw', 1n, header), 'CommitteeComplete');
  });

  it('randomness bias: a block that the chain forgot is replaced by a later one, never a block that is known', async () => {
    const place = await stage();
    await open(place);
    const { seedBlock } = await court(place).getFunction('roundOf')(1n, 0);
    await refused(place, send(court(place), place.plaintiff, 'moveSeed', 1n), 'SeedKnown', seedBlock);
    await helpers.mine(64 + 8_190, { interval: 1 });
    expect(BigInt(await ethers.provider.getBlockNumber())).to.equal((seedBlock as bigint) + 8_190n);
    await refused(place, send(court(place), place.plaintiff, 'moveSeed', 1n), 'SeedKnown', seedBlock);
    await helpers.mine(1);
    const moved = send(court(place), place.plaintiff, 'moveSeed', 1n);
    await expect(moved).to.emit(court(place), 'SeedMoved').withArgs(1n, 0n, (seedBlock as bigint) + 8_192n + 64n);
    await draw(place);
    await refused(place, send(court(place), place.plaintiff, 'moveSeed', 1n), 'SeedKnown', (seedBlock as bigint) + 8_256n);
  });

  it('the parties and their other nodes judge nothing of theirs', async () => {
    const place = await stage();
    const { world, accused } = place;
    const other = await addNode(world, 200, accused.owner);
    const plaintiffs = await addNode(world, 201, place.plaintiff);
    await enrich(world, accused.owner, 32n * SEAT);
    for (const node of [other, plaintiffs]) await takeSeats(world, node, 32);
    await helpers.time.increase(DAY);
    await open(place);
    const header = await seedHeader(place);
    for (let calls = 0; calls < 2 && (await committee(place)).length < 7; calls++) await send(court(place), world.watcher, 'draw', 1n, header);
    expect((await committee(place)).filter((seat) => seat >= 36n)).to.deep.equal([]);
    expect(await committee(place)).to.have.length(7);
  });

  it('a seat counts from a day after it was taken; a seat that left after the opening still counts, one that left before does not', async () => {
    const place = await stage();
    const { world, jurors } = place;
    for (let who = 1; who < 6; who++) await leave(place, who, [0, 1, 2, 3, 4, 5].map((seat) => 6 * who + seat));
    await takeSeats(world, jurors[1]!, 8);
    const taken = await now();
    await open(place);
    await send(seats(place), jurors[0]!.owner, 'leaveSeats', [0, 1, 2]);
    const header = await seedHeader(place);
    await send(court(place), world.watcher, 'draw', 1n, header);
    expect([...(await committee(place))].sort()).to.deep.equal([0n, 1n, 2n, 3n, 4n, 5n]);
    await refused(place, send(court(place), world.watcher, 'draw', 1n, header), 'NotDrawn', 6n);
    await helpers.time.setNextBlockTimestamp(taken + DAY);
    await open(place, { claim: h('matured') });
    await draw(place, 0, 2n);
    expect(await committee(place, 0, 2n)).to.have.length(7);
    // a committee that was never complete owes nothing
    await past(place, BY.reveal, 2n);
    await settle(place, 1n);
    for (const seat of await committee(place)) expect((await seatOf(place, seat)).units).to.equal(50n);
  });

  it('a draw comes too late when the time to commit is over', async () => {
    const place = await stage();
    await open(place);
    const header = await seedHeader(place);
    const { openedAt } = await court(place).getFunction('disputeOf')(1n);
    await past(place, BY.commit);
    await refused(place, send(court(place), place.plaintiff, 'draw', 1n, header), 'TooLate', (openedAt as bigint) + BY.commit);
    await refused(place, send(court(place), place.plaintiff, 'moveSeed', 1n), 'TooLate', (openedAt as bigint) + BY.commit);
    await refused(place, send(court(place), place.plaintiff, 'draw', 9n, header), 'UnknownDispute', 9n);
  });
});

describe('DisputeCourt: votes', () => {
  it('committing: after the time to answer, for an own place, once, with something that is no vote', async () => {
    const place = await stage();
    await open(place);
    const { openedAt } = await court(place).getFunction('disputeOf')(1n);
    await draw(place);
    const [seat] = await committee(place);
    const juror = await jurorOf(place, seat!);
    await at(place, BY.answer);
    await refused(place, commit(place, 0, 0, VERDICT.upheld), 'TooEarly', (openedAt as bigint) + BY.answer + 1n);
    await at(place, BY.answer + 1n);
    const stranger = place.world.consumer;
    await refused(place, send(court(place), stranger, 'commit', 1n, 0, h('x')), 'NotJuror', 0n, await stranger.getAddress());
    await refused(place, send(court(place), juror, 'commit', 1n, 7, h('x')), 'NotJuror', 7n, await juror.getAddress());
    await refused(place, send(court(place), juror, 'commit', 1n, 0, ethers.toBeHex(2, 32)), 'BadCommitment');
    await refused(place, send(court(place), juror, 'commit', 1n, 0, ethers.toBeHex(255, 32)), 'BadCommitment');
    expect([...(await court(place).getFunction('voteAt')(1n, 0, 0))]).to.deep.equal([false, VERDICT.none]);
    await expect(commit(place, 0, 0, VERDICT.upheld)).to.emit(court(place), 'VoteCommitted').withArgs(1n, 0n, 0n, await juror.getAddress());
    expect([...(await court(place).getFunction('voteAt')(1n, 0, 0))]).to.deep.equal([true, VERDICT.none]);
    await refused(place, commit(place, 0, 0, VERDICT.rejected), 'AlreadyVoted', 0n);
    await at(place, BY.commit);
    await commit(place, 0, 1, VERDICT.upheld);
    await refused(place, commit(place, 0, 2, VERDICT.upheld), 'TooLate', (openedAt as bigint) + BY.commit);
  });

  it('revealing: when nobody can commit any more, with the secret, once; a copied commitment opens for nobody', async () => {
    const place = await stage();
    await open(place);
    const { openedAt } = await court(place).getFunction('disputeOf')(1n);
    await draw(place);
    await past(place, BY.answer);
    await commit(place, 0, 0, VERDICT.upheld);
    const drawn = await committee(place);
    const author = await jurorOf(place, drawn[0]!);
    const copied = await commitmentOf(place, 0, 0, author, VERDICT.upheld);
    await send(court(place), await jurorOf(place, drawn[1]!), 'commit', 1n, 1, copied);
    await send(court(place), await jurorOf(place, drawn[2]!), 'commit', 1n, 2, await commitmentOf(place, 0, 2, await jurorOf(place, drawn[2]!), VERDICT.undecided));
    await at(place, BY.commit);
    await refused(place, reveal(place, 0, VERDICT.upheld), 'TooEarly', (openedAt as bigint) + BY.commit + 1n);
    await at(place, BY.commit + 1n);
    await refused(place, reveal(place, 0, VERDICT.rejected), 'WrongReveal', 0n);
    await refused(place, send(court(place), place.plaintiff, 'reveal', 1n, 0, VERDICT.upheld, h('guess')), 'WrongReveal', 0n);
    await refused(place, reveal(place, 1, VERDICT.upheld), 'WrongReveal', 1n);
    await refused(place, reveal(place, 2, VERDICT.undecided), 'WrongReveal', 2n);
    await refused(place, reveal(place, 3, VERDICT.upheld), 'WrongReveal', 3n);
    await at(place, BY.reveal);
    await expect(reveal(place, 0, VERDICT.upheld)).to.emit(court(place), 'VoteRevealed').withArgs(1n, 0n, 0n, await author.getAddress(), VERDICT.upheld);
    expect([...(await court(place).getFunction('voteAt')(1n, 0, 0))]).to.deep.equal([true, VERDICT.upheld]);
    await refused(place, send(court(place), place.plaintiff, 'reveal', 1n, 0, VERDICT.upheld, SALT), 'TooLate', (openedAt as bigint) + BY.reveal);
  });

  it('a vote is revealed once', async () => {
    const place = await stage();
    await open(place);
    await hear(place, 1, 0);
    await refused(place, reveal(place, 0, VERDICT.upheld), 'WrongReveal', 0n);
    expect((await court(place).getFunction('roundOf')(1n, 0)).upheld).to.equal(1n);
  });

  it('nobody votes before the committee is complete', async () => {
    const place = await stage();
    await open(place);
    await past(place, BY.answer);
    await refused(place, send(court(place), place.plaintiff, 'commit', 1n, 0, h('x')), 'NotDrawn', 0n);
    await past(place, BY.commit);
    await refused(place, reveal(place, 0, VERDICT.upheld), 'NotDrawn', 0n);
  });

  it('a verdict touches nobody\'s stake but the accused node\'s', async () => {
    const place = await stage();
    const before = await Promise.all(place.jurors.map(async ({ address }) => (await place.world.c.StakeVault.getFunction('accountOf')(address)).active));
    await open(place);
    await hear(place, 6, 1);
    await past(place, BY.appeal);
    await settle(place);
    const after = await Promise.all(place.jurors.map(async ({ address }) => (await place.world.c.StakeVault.getFunction('accountOf')(address)).active));
    expect(after).to.deep.equal(before);
  });
});
