import { Command } from 'commander';
import { hash32From } from '../../protocol/types/index.ts';
import { groupReport, type MemberReport } from '../../sdk/index.ts';
import { loadNetworkFile } from '../devnet/network-file.ts';
import { cliFaults } from '../faults.ts';
import { outputOf, wholeNumber } from '../options.ts';

const COLUMNS = [
  'replica', 'node', 'state', 'epoch', 'view', 'leader', 'mode', 'fast %', 'rejects', 'height', 'behind', 'lag ms', 'clock ms', 'checkpoint',
] as const;

export function groupCommand(): Command {
  return new Command('group').description('Look at replica groups.').addCommand(statusCommand());
}

function statusCommand(): Command {
  return new Command('status')
    .description('Ask every member of a group where it stands: view and leader, mode, refusals, how far behind, clocks, last checkpoint.')
    .option('--url <url>', "any member's API (default: the local network)")
    .option('--group <id>', 'only this group (default: all groups of that node)')
    .option('--timeout <ms>', 'how long to wait for a member', wholeNumber('--timeout', 1, 60_000), 2_000)
    .addHelpText('after', '\nExample:\n  picolo group status --url http://127.0.0.1:4101\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const url = (options.url as string | undefined) ?? loadNetworkFile()?.url;
      if (url === undefined) throw cliFaults.noNetwork({ url: 'none given' });
      const wanted = options.group === undefined ? undefined : hash32From(options.group as string);
      const reports = await groupReport(url, wanted, options.timeout as number);
      for (const { group, tip, members } of reports) {
        out.title(`Group ${group}, height ${tip}`);
        out.table(COLUMNS, members.map(rowOf));
      }
      out.result(reports);
    });
}

function rowOf(member: MemberReport): unknown[] {
  const { replica, node, state, epoch, view, leader, mode, fastShare, rejects, height, behind, lagMs, clockOffsetMs, checkpoint } = member;
  const share = fastShare === null ? null : Math.round(fastShare * 100);
  const cells = [replica, node, state, epoch, view, leader, mode, share, rejects, height, behind, lagMs, clockOffsetMs, checkpoint];
  return cells.map((cell) => cell ?? '-');
}
