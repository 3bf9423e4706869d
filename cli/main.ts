/**
 * `picolo`: one file per command under `commands/`; each parses, calls, prints. Exit codes: 0 done,
 * 1 a coded fault, 2 wrong usage, 70 a bug.
 */
import { Command, CommanderError } from 'commander';
import { installNativeCrypto } from '../node/crypto/index.ts';
import { clusterCommand } from './commands/cluster.ts';
import { databaseCommand } from './commands/db.ts';
import { devCommand } from './commands/dev.ts';
import { nodeCommand } from './commands/node.ts';
import { providerCommand } from './commands/provider.ts';
import { sqlCommand } from './commands/sql.ts';
import { watchCommand } from './commands/watch.ts';
import { EXIT, reportFailure } from './faults.ts';

const program = new Command('picolo')
  .description('An open network of staked machines that together serve verifiable SQL databases.')
  .version('0.1.0')
  .option('--json', 'print one JSON value instead of text')
  .addHelpText('after', `
Examples:
  picolo dev                                        a local network: chain, contracts, staked providers
  picolo sql --url http://127.0.0.1:4101            a shell on a database of it
  picolo provider init --dir ./p --region eu-west   make a provider's folder and keys
`);

for (const command of [devCommand, providerCommand, nodeCommand, clusterCommand, databaseCommand, sqlCommand, watchCommand]) {
  program.addCommand(command());
}
prepare(program);

await installNativeCrypto();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else process.exitCode = reportFailure(error, program.opts<{ json?: boolean }>().json === true);
}

/** Settings that a command does not take over from its parent. */
function prepare(command: Command): void {
  command.exitOverride().showHelpAfterError('(add --help for the options and examples)');
  command.commands.forEach(prepare);
}
