import { Command, Option } from 'commander';
import { formatEther } from 'ethers';
import { statementIdOf } from '../../protocol/oracle/index.ts';
import type { GroupId, Hash32 } from '../../protocol/types/index.ts';
import { anchorCheckpoint, fulfilRequest, openRequests, registerStatement, requestById } from '../../sdk/operator/index.ts';
import { connectFrom, withConnection, type ConnectionOptions } from '../connection.ts';
import { hex32, onChain, outputOf, withExamples, withWallet } from '../options.ts';

const EXAMPLES: Readonly<Record<string, string>> = {
  anchor: 'anchor --group 0x…',
  register: "register --group 0x… --database 0x… --sql 'SELECT SUM(points) FROM scores'",
  requests: 'requests --group 0x…',
  fulfil: "fulfil --request 0x… --database 0x… --sql 'SELECT SUM(points) FROM scores'",
};

export function oracleCommand(): Command {
  const oracle = new Command('oracle').description('Bring a group\'s state to contracts.');
  return withExamples(oracle, [anchorCommand(), registerCommand(), requestsCommand(), fulfilCommand()], EXAMPLES);
}

const groupOption = (): Option => new Option('--group <id>', 'the replica group').argParser(hex32('--group')).makeOptionMandatory();

function anchorCommand(): Command {
  return withConnection(new Command('anchor'))
    .description('Put the newest certified checkpoint of a group on chain, so that contracts prove rows by a path alone.')
    .addOption(groupOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const picolo = await connectFrom(options as ConnectionOptions);
      const { certified, roster } = await picolo.checkpoint(options.group as string);
      const { gasUsed } = await anchorCheckpoint(network, roster, certified);
      const { height, stateRoot } = certified.checkpoint;
      outputOf(command).line(`Anchored height ${height} (${gasUsed} gas)`);
      outputOf(command).result({ height, stateRoot, gasUsed });
    }));
}

/** A statement is known on chain by its hash; its text is an option here and nowhere stored. */
function withStatement(command: Command): Command {
  return command
    .requiredOption('--database <id>', 'the database', hex32('--database'))
    .requiredOption('--sql <text>', 'the statement, exactly as it is asked');
}

function registerCommand(): Command {
  return withStatement(withWallet(new Command('register')))
    .description('Make a statement known to the oracle by its hash.')
    .addOption(groupOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const statement = statementIdOf(options.database as Hash32, options.sql as string);
      const { gasUsed } = await registerStatement(network, options.group as GroupId, statement);
      outputOf(command).line(`Statement ${statement}`);
      outputOf(command).result({ statement, gasUsed });
    }));
}

function requestsCommand(): Command {
  return withWallet(new Command('requests'))
    .description('Requests of contracts that wait for a result.')
    .addOption(groupOption())
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const open = await openRequests(network, options.group as GroupId);
      const out = outputOf(command);
      out.table(['request', 'statement', 'fee', 'expires'], open.map((one) => [one.request, one.statement, formatEther(one.feeWei), one.expiresAt]));
      out.result(open.map(({ fields: _fields, ...one }) => one));
    }));
}

function fulfilCommand(): Command {
  return withStatement(withConnection(new Command('fulfil')))
    .description('Have the replicas run the statement of a request, and bring the result that a quorum signed. The fee is yours.')
    .addOption(new Option('--request <id>', 'the request').argParser(hex32('--request')).makeOptionMandatory())
    .option('--param <value...>', 'parameters, as JSON: 7 "text" null', [])
    .action(async (options, command: Command) => onChain(options, async (network) => {
      const request = await requestById(network, options.request as Hash32);
      const picolo = await connectFrom(options as ConnectionOptions);
      const fulfilment = await picolo.oracleResult({
        request: request.request, group: request.group, database: options.database as Hash32, sql: options.sql as string,
        params: (options.param as string[]).map((text) => JSON.parse(text) as unknown), payee: network.account, minSnapshot: request.minSnapshot,
      });
      const { gasUsed } = await fulfilRequest(network, request, fulfilment);
      outputOf(command).line(`Fulfilled: ${formatEther(request.feeWei)} ether for ${gasUsed} gas`);
      outputOf(command).result({ request: request.request, feeWei: request.feeWei, snapshot: fulfilment.result.snapshot, gasUsed });
    }));
}
