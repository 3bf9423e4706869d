import type { TransactionResponse } from 'ethers';
import { h } from './cases.ts';
import {
  answer, appeal, BY, commit, commitmentOf, committee, court, draw, enrich, furnish, hear as hearAll, jurorOf, open, openStatement, past, reveal, SEAT, seats,
  settle, VERDICT, type Case,
} from './dispute-cases.ts';
import { DAY, helpers, send, type World } from './world.ts';

type Note = (name: string, sent: Promise<TransactionResponse>) => Promise<void>;

/** A dispute through its appeal, and the way of a seat. */
export async function disputeJourney(world: World, note: Note): Promise<void> {
  const place = await furnish(world);
  const owner = place.jurors[0]!.owner;
  await enrich(world, owner, 5n * SEAT);
  await note('JurorSeats.takeSeats, 1', send(seats(place), owner, 'takeSeats', place.jurors[0]!.address, 1));
  await note('DisputeCourt.openStatement', openStatement(place));
  await note('DisputeCourt.open', open(place));
  await note('DisputeCourt.answer', answer(place));
  await hear(place, 0, note);
  await past(place, BY.reveal);
  await note('DisputeCourt.appeal', appeal(place, place.accused.owner));
  await hear(place, 1, note);
  await past(place, BY.revealAgain);
  await note('DisputeCourt.settle, upheld after an appeal, 22 places', settle(place));
  await note('DisputeCourt.collect', send(court(place), world.watcher, 'collect', await place.plaintiff.getAddress()));
  await past(place, BY.reveal, 2n);
  await note('DisputeCourt.settle, undecided, nobody drawn', settle(place, 2n));
  await open(place, { claim: h('without an appeal') });
  await helpers.setPrevRandao(7n);
  await hearAll(place, 7, 0, 0, 3n);
  await past(place, BY.appeal, 3n);
  await note('DisputeCourt.settle, upheld, 7 places', settle(place, 3n));
  await note('JurorSeats.leaveSeats, 1', send(seats(place), owner, 'leaveSeats', [36]));
  await helpers.time.increase(9n * DAY);
  await note('JurorSeats.returnSeats, 1', send(seats(place), world.watcher, 'returnSeats', [36]));
}

/** Everybody votes against the node; the first commitment and reveal of a round are noted. */
async function hear(place: Case, round: number, note: Note): Promise<void> {
  // the seed of a test chain is its own: the same in every run, so the seats looked at are, too
  await helpers.setPrevRandao(7n);
  await note(round === 0 ? 'DisputeCourt.draw, 7 seats' : 'DisputeCourt.draw, 15 seats after an appeal', draw(place, round));
  await past(place, round === 0 ? BY.answer : BY.appeal);
  const drawn = await committee(place, round);
  const first = await jurorOf(place, drawn[0]!);
  const commitment = await commitmentOf(place, round, 0, first, VERDICT.upheld);
  if (round === 0) await note('DisputeCourt.commit', send(court(place), first, 'commit', 1n, 0, commitment));
  else await send(court(place), first, 'commit', 1n, 0, commitment);
  for (let at = 1; at < drawn.length; at++) await commit(place, round, at, VERDICT.upheld);
  await past(place, round === 0 ? BY.commit : BY.commitAgain);
  if (round === 0) await note('DisputeCourt.reveal', reveal(place, 0, VERDICT.upheld));
  else await reveal(place, 0, VERDICT.upheld);
  for (let at = 1; at < drawn.length; at++) await reveal(place, at, VERDICT.upheld);
}
