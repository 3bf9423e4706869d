import { parseEther } from 'ethers';
import { addressFrom, ZERO_ADDRESS, type Address } from '../../protocol/types/index.ts';
import { momentOf, type Moment } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** One seat in the dispute court. Amounts in wei, times in unix seconds. */
export interface JurorSeat {
  readonly seat: bigint;
  readonly node: Address;
  readonly takenAt: bigint;
  /** It counts for disputes opened from then on. */
  readonly countsFrom: bigint;
  /** Zero while it was not left. */
  readonly leftAt: bigint;
  /** When its deposit can be taken back; zero while it was not left. */
  readonly returnableAt: bigint;
  readonly depositWei: bigint;
  /** Committees of disputes that are not settled. */
  readonly duties: number;
}

export const SEAT_WEI = parseEther('500');

/** Takes seats for the wallet's node, 500 PINT each; approves what they cost. */
export async function takeSeats(network: Network, node: Address, count: number): Promise<Receipt & { readonly seats: readonly bigint[] }> {
  await network.approve(network.address('PintToken'), network.address('JurorSeats'), SEAT_WEI * BigInt(count));
  const receipt = await network.send('JurorSeats', 'takeSeats', [node, count]);
  const taken = await network.events('JurorSeats', 'SeatTaken', [null, node]);
  return { ...receipt, seats: taken.filter((event) => event['transactionHash'] === receipt.hash).map((event) => event['seat'] as bigint) };
}

/** Leaves seats: they count for no later dispute. Deposits come back after eight days (`returnSeats`). */
export function leaveSeats(network: Network, seats: readonly bigint[]): Promise<Receipt> {
  return network.send('JurorSeats', 'leaveSeats', [seats]);
}

/** Pays what is left of the deposits to their jurors; anybody may send it. */
export function returnSeats(network: Network, seats: readonly bigint[]): Promise<Receipt> {
  return network.send('JurorSeats', 'returnSeats', [seats]);
}

/** Seats that an account has, by number. */
export async function seatsOf(network: Network, juror: Address): Promise<readonly JurorSeat[]> {
  const taken = await network.events('JurorSeats', 'SeatTaken', [null, null, juror]);
  const numbers = [...new Set(taken.map((event) => event['seat'] as bigint))].sort((a, b) => Number(a - b));
  const at = await momentOf(network);
  const found = await Promise.all(numbers.map(async (seat) => ({ seat, owner: await jurorOf(at, seat) })));
  return Promise.all(found.filter(({ owner }) => owner === juror).map(({ seat }) => seatBy(at, seat)));
}

/** Who votes for a seat; the zero address when nobody has it. */
export async function jurorOf(at: Moment, seat: bigint): Promise<Address> {
  const { node } = await at.read<{ node: string }>('JurorSeats', 'seatOf', seat);
  if (addressFrom(node) === ZERO_ADDRESS) return ZERO_ADDRESS;
  return addressFrom(await at.read<string>('JurorSeats', 'jurorOf', seat));
}

async function seatBy(at: Moment, seat: bigint): Promise<JurorSeat> {
  const [found, penalty, maturity, leave] = await Promise.all([
    at.read<{ node: string } & Record<'takenAt' | 'leftAt' | 'units' | 'duties', bigint>>('JurorSeats', 'seatOf', seat),
    at.read<bigint>('JurorSeats', 'PENALTY'), at.read<bigint>('JurorSeats', 'MATURITY'), at.read<bigint>('JurorSeats', 'LEAVE_TIME'),
  ]);
  return {
    seat, node: addressFrom(found.node), takenAt: found.takenAt, countsFrom: found.takenAt + maturity, leftAt: found.leftAt,
    returnableAt: found.leftAt === 0n ? 0n : found.leftAt + leave, depositWei: found.units * penalty, duties: Number(found.duties),
  };
}
