import { Command, Option } from 'commander';
import { formatEther } from 'ethers';
import { addressFrom, type Address } from '../../protocol/types/index.ts';
import { leaveSeats, returnSeats, SEAT_WEI, seatsOf, takeSeats, type JurorSeat, type Network } from '../../sdk/operator/index.ts';
import { cliFaults } from '../faults.ts';
import { onAccount, outputOf, wholeNumber, withAccount, withExamples } from '../options.ts';

const MOST = 32;

const EXAMPLES: Readonly<Record<string, string>> = {
  join: 'join --dir ./provider --seats 2',
  leave: 'leave --dir ./provider --seat 3 4',
  return: 'return --dir ./provider',
  status: 'status --dir ./provider',
};

export function jurorCommand(): Command {
  const juror = new Command('juror').description('Seats in the dispute court: judge what no contract can judge.');
  return withExamples(juror, [joinCommand(), leaveCommand(), returnCommand(), statusCommand()], EXAMPLES);
}

const time = (seconds: bigint): string => (seconds === 0n ? '' : new Date(Number(seconds) * 1000).toISOString());
const seatList = (): Option => new Option('--seat <number...>', 'these seats (default: all that can)').argParser(
  (text: string, before: readonly bigint[] | undefined) => [...(before ?? []), BigInt(wholeNumber('--seat', 0, 2 ** 32)(text))],
);

function joinCommand(): Command {
  return withAccount(new Command('join'))
    .description(`Take seats for your node, ${formatEther(SEAT_WEI)} PINT each. They count for disputes opened a day later.`)
    .option('--node <address>', "your node (default: the folder's)")
    .option('--seats <n>', 'how many', wholeNumber('--seats', 1, MOST), 1)
    .action(async (options, command: Command) => onAccount(options, async (network, own) => {
      const node = nodeOf(options.node as string | undefined, own);
      const { hash, gasUsed, seats } = await takeSeats(network, node, options.seats as number);
      outputOf(command).line(`Seats ${seats.join(', ')} taken, transaction ${hash}`);
      outputOf(command).result({ node, seats, hash, gasUsed });
    }));
}

function leaveCommand(): Command {
  return withAccount(new Command('leave'))
    .description('Leave seats: they count for no later dispute, and their deposits can be taken back after eight days.')
    .addOption(seatList())
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const seats = await chosen(network, options.seat as readonly bigint[] | undefined, ({ leftAt }) => leftAt === 0n);
      const receipt = await leaveSeats(network, seats);
      outputOf(command).line(`Left ${seats.join(', ')}, transaction ${receipt.hash}`);
      outputOf(command).result({ seats, ...receipt });
    }));
}

function returnCommand(): Command {
  return withAccount(new Command('return'))
    .description('Take back the deposits of seats that were left eight days ago.')
    .addOption(seatList())
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const now = BigInt((await network.provider.getBlock('latest'))?.timestamp ?? 0);
      const seats = await chosen(network, options.seat as readonly bigint[] | undefined, ({ returnableAt, duties }) => (
        returnableAt !== 0n && returnableAt <= now && duties === 0));
      const receipt = await returnSeats(network, seats);
      outputOf(command).line(`Deposits of ${seats.join(', ')} are back, transaction ${receipt.hash}`);
      outputOf(command).result({ seats, ...receipt });
    }));
}

function statusCommand(): Command {
  return withAccount(new Command('status'))
    .description('Your seats, from when they count, what is left of their deposits, and their committees.')
    .action(async (options, command: Command) => onAccount(options, async (network) => {
      const seats = await seatsOf(network, network.account);
      const out = outputOf(command);
      if (seats.length === 0) out.line('No seats.');
      else {
        out.table(['seat', 'counts from', 'left', 'returnable', 'PINT', 'committees'], seats.map((seat) => [
          seat.seat, time(seat.countsFrom), time(seat.leftAt), time(seat.returnableAt), formatEther(seat.depositWei), seat.duties,
        ]));
      }
      out.result(seats);
    }));
}

function nodeOf(named: string | undefined, own: Address | undefined): Address {
  if (named !== undefined) return addressFrom(named);
  if (own === undefined) throw cliFaults.badOption({ option: '--node', expected: 'the address of your node, or --dir' });
  return own;
}

async function chosen(network: Network, named: readonly bigint[] | undefined, can: (seat: JurorSeat) => boolean): Promise<readonly bigint[]> {
  return named ?? (await seatsOf(network, network.account)).filter(can).map(({ seat }) => seat).slice(0, MOST);
}
