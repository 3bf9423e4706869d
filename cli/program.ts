import { Command } from 'commander';
import { challengeCommand } from './commands/challenge.ts';
import { clusterCommand } from './commands/cluster.ts';
import { databaseCommand } from './commands/db.ts';
import { devCommand } from './commands/dev.ts';
import { disputeCommand } from './commands/dispute.ts';
import { groupCommand } from './commands/group.ts';
import { jurorCommand } from './commands/juror.ts';
import { marketCommand } from './commands/market.ts';
import { nodeCommand } from './commands/node.ts';
import { oracleCommand } from './commands/oracle.ts';
import { paramsCommand } from './commands/params.ts';
import { providerCommand } from './commands/provider.ts';
import { sqlCommand } from './commands/sql.ts';
import { watchCommand } from './commands/watch.ts';

/** The command tree, not yet run. */
export function createProgram(): Command {
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

  const commands = [
    devCommand, providerCommand, nodeCommand, clusterCommand, groupCommand, databaseCommand, sqlCommand, paramsCommand, watchCommand,
    marketCommand, oracleCommand, challengeCommand, disputeCommand, jurorCommand,
  ];
  for (const command of commands) {
    program.addCommand(command());
  }
  prepare(program);
  return program;
}

/** Settings that a command does not take over from its parent. */
function prepare(command: Command): void {
  command.exitOverride().showHelpAfterError('(add --help for the options and examples)');
  command.commands.forEach(prepare);
}
