import { Command } from 'commander';
import type { AuditVerdict } from '../../sdk/index.ts';
import { reportEvidence } from '../../sdk/operator/index.ts';
import { connectFrom, openDatabase, withConnection, type ConnectionOptions } from '../connection.ts';
import { networkOf, outputOf, wholeNumber } from '../options.ts';

export function watchCommand(): Command {
  return withConnection(new Command('watch'))
    .description('Challenge the nodes of a database (cPoQ), audit their history, and report lies to the contract for the reward.')
    .option('--database <id>', 'the database (default: the local network\'s)')
    .option('--rounds <n>', 'stop after so many rounds (default: until Ctrl-C)', wholeNumber('--rounds', 1, 1_000_000))
    .option('--rows <n>', 'rows asked of each node per round', wholeNumber('--rows', 1, 256), 16)
    .option('--interval <seconds>', 'time between rounds', wholeNumber('--interval', 1, 86_400), 10)
    .option('--report', 'send evidence to the contract', false)
    .addHelpText('after', '\nExample:\n  picolo watch --rounds 3 --report\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const connection = options as ConnectionOptions;
      const picolo = await connectFrom(connection);
      const db = await openDatabase(picolo, connection);
      const rounds = (options.rounds as number | undefined) ?? Infinity;
      const reports: unknown[] = [];
      for (let round = 1; round <= rounds; round++) {
        const report = await db.challenge({ count: options.rows as number });
        const audit = await db.audit();
        out.title(`Round ${round}, height ${report.height}`);
        out.table(['node', 'verdict', 'proven', 'signed by writer', 'history', 'roots listed', 'checked'], report.verdicts.map((v, i) => {
          const { verdict, listed, checked } = audit.verdicts[i] as AuditVerdict;
          return [v.node ?? v.url, v.verdict, v.checked, v.signed, verdict, listed, checked];
        }));
        const verdicts = report.verdicts.map(({ lies, ...verdict }) => ({ ...verdict, lies: lies.length }));
        reports.push({ round, height: report.height, verdicts, audit: audit.verdicts });
        if (report.lies.length + audit.lies.length > 0 && options.report === true) await send(picolo, connection, out);
        if (round < rounds) await new Promise((resolve) => setTimeout(resolve, 1000 * (options.interval as number)));
      }
      out.result(reports);
    });
}

async function send(picolo: Awaited<ReturnType<typeof connectFrom>>, options: ConnectionOptions, out: ReturnType<typeof outputOf>): Promise<void> {
  const network = await networkOf({ rpc: options.rpc ?? 'http://127.0.0.1:8545', ...options } as Parameters<typeof networkOf>[0]);
  for (const evidence of await picolo.evidence()) {
    const receipt = await reportEvidence(network, evidence);
    out.line(`Reported ${evidence.offence}: ${receipt.gasUsed} gas, transaction ${receipt.hash}`);
  }
  network.close();
}

