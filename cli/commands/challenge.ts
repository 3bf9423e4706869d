import { Command } from 'commander';
import { formatEther } from 'ethers';
import { addressFrom, hash32From, type GroupId, type Path } from '../../protocol/types/index.ts';
import { checkpointAt } from '../../sdk/index.ts';
import { challengeOf, openChallenge, settleChallenge, type OpenChallenge } from '../../sdk/operator/index.ts';
import { networkOf, outputOf, withWallet, type WalletOptions } from '../options.ts';
import type { Output } from '../output.ts';

export function challengeCommand(): Command {
  return new Command('challenge').description('Challenge a silent node on chain: it answers with data or its stake drains.')
    .addCommand(openCommand()).addCommand(statusCommand()).addCommand(settleCommand());
}

/** A node in a group, seen through a wallet. */
function withPlace(command: Command): Command {
  return withWallet(command).requiredOption('--group <id>', 'the replica group').requiredOption('--node <address>', 'the challenged node');
}
const placeOf = (options: { group: string; node: string }): [GroupId, ReturnType<typeof addressFrom>] =>
  [hash32From(options.group) as GroupId, addressFrom(options.node)];

function openCommand(): Command {
  return withPlace(new Command('open'))
    .description('Ask a member of a group for a cell of its newest certified checkpoint, with a bond.')
    .requiredOption('--url <url>', "any member's API, for the certificate")
    .option('--path <hash>', 'the cell (default: a random path, to be proven present or absent)')
    .addHelpText('after', '\nExample:\n  picolo challenge open --url http://127.0.0.1:4101 --group 0x… --node 0x…\n')
    .action(async (options, command: Command) => {
      const network = await networkOf(options as WalletOptions);
      const [group, node] = placeOf(options);
      const path = options.path === undefined ? undefined : (hash32From(options.path as string) as string as Path);
      const opened = await openChallenge(network, await checkpointAt(options.url as string, group), node, path);
      const out = outputOf(command);
      out.line(`Asked ${node} for ${opened.path}; bond ${formatEther(opened.bondWei)} ether, transaction ${opened.hash}`);
      out.result(opened);
      network.close();
    });
}

function statusCommand(): Command {
  return withPlace(new Command('status'))
    .description('What a node is asked, until when, and what its silence has cost.')
    .addHelpText('after', '\nExample:\n  picolo challenge status --group 0x… --node 0x…\n')
    .action(async (options, command: Command) => {
      const network = await networkOf(options as WalletOptions);
      const found = await challengeOf(network, ...placeOf(options));
      const out = outputOf(command);
      if (found === undefined) out.line('No challenge is open.');
      else printChallenge(out, found);
      out.result(found ?? null);
      network.close();
    });
}

function settleCommand(): Command {
  return withPlace(new Command('settle'))
    .description('Take what the silence has cost since the last time; anybody may, as often as they like.')
    .addHelpText('after', '\nExample:\n  picolo challenge settle --group 0x… --node 0x…\n')
    .action(async (options, command: Command) => {
      const network = await networkOf(options as WalletOptions);
      const receipt = await settleChallenge(network, ...placeOf(options));
      const out = outputOf(command);
      out.line(`Settled, ${receipt.gasUsed} gas, transaction ${receipt.hash}`);
      out.result(receipt);
      network.close();
    });
}

function printChallenge(out: Output, found: OpenChallenge): void {
  const time = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString();
  out.table(['what', 'value'], [
    ['challenger', found.challenger], ['opened', time(found.openedAt)], ['answer by', time(found.answerBy)], ['epoch', found.epoch],
    ['height', found.height], ['path', found.path], ['bond ether', formatEther(found.bondWei)],
    ['drain per hour, % of stake', (Number(found.ratePerHour) / 1e16).toFixed(4)], ['drained PINT', formatEther(found.takenWei)],
    ['due PINT', formatEther(found.dueWei)],
  ]);
}
