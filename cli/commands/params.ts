import { Command, Option } from 'commander';
import { formatEther, parseEther } from 'ethers';
import {
  advanceProposal, castVote, delayOf, parameterGroups, proposalOf, proposeParams, readParams,
  type ParameterGroupName, type ParameterUnit, type ParameterValues,
} from '../../sdk/operator/index.ts';
import { cliFaults } from '../faults.ts';
import { networkOf, outputOf, withWallet, type WalletOptions } from '../options.ts';

const groupNames = Object.keys(parameterGroups) as ParameterGroupName[];

export function paramsCommand(): Command {
  return new Command('params').description('Parameters of the network, and votes on them.')
    .addCommand(showCommand()).addCommand(proposeCommand()).addCommand(voteCommand()).addCommand(statusCommand())
    .addCommand(advanceCommand('queue', 'Start the wait of a proposal that passed.'))
    .addCommand(advanceCommand('execute', 'Carry out a proposal whose wait is over.'));
}

function showCommand(): Command {
  return withWallet(new Command('show'))
    .description('Every parameter that can change, its value, and how long a change waits.')
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo params show\n')
    .action(async (options: WalletOptions, command: Command) => {
      const out = outputOf(command);
      const network = await networkOf(options);
      const values = await readParams(network);
      const delays = Object.fromEntries(await Promise.all(groupNames.map(async (name) => [name, await delayOf(network, name)] as const)));
      out.table(['group', 'parameter', 'value', 'unit', 'change waits (s)'], groupNames.flatMap((name) => (
        Object.entries(parameterGroups[name].fields).map(([field, unit]) => [
          name, field, shown(values[name][field] as bigint, unit), unit === 'wei' ? 'PINT' : unit, delays[name],
        ])
      )));
      out.result({ values, delays });
      network.close();
    });
}

function proposeCommand(): Command {
  return withWallet(new Command('propose'))
    .description('Put a change of one group to the vote. Amounts in PINT, times in seconds.')
    .argument('<group>', `one of ${groupNames.join(' ')}`)
    .argument('<change...>', 'parameter=value; what is left out stays')
    .requiredOption('--description <text>', 'why, for those who vote')
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo params propose stakeRates minimum=1200 --description "Larger nodes"\n')
    .action(async (group: string, changes: string[], options: WalletOptions & { description: string }, command: Command) => {
      const out = outputOf(command);
      const name = groupNames.find((known) => known === group);
      if (name === undefined) throw cliFaults.badOption({ option: '<group>', value: group, expected: groupNames.join(', ') });
      const values = parseChanges(name, changes);
      const network = await networkOf(options);
      const { proposal, gasUsed } = await proposeParams(network, name, values, options.description);
      out.line(`Proposal ${proposal}`);
      out.result({ proposal, gasUsed });
      network.close();
    });
}

function voteCommand(): Command {
  return withWallet(new Command('vote'))
    .description('Vote with all liquid and staked PINT that counts for the wallet.')
    .argument('<proposal>', 'its number', proposalNumber)
    .addOption(new Option('--support <side>', 'which side').choices(['for', 'against', 'abstain']).default('for'))
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo params vote 8419… --support for\n')
    .action(async (proposal: bigint, options: WalletOptions & { support: 'for' | 'against' | 'abstain' }, command: Command) => {
      const network = await networkOf(options);
      const { gasUsed } = await castVote(network, proposal, options.support);
      outputOf(command).line(`Voted ${options.support}.`);
      outputOf(command).result({ proposal, support: options.support, gasUsed });
      network.close();
    });
}

function statusCommand(): Command {
  return withWallet(new Command('status'))
    .description('Where a proposal stands.')
    .argument('<proposal>', 'its number', proposalNumber)
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo params status 8419…\n')
    .action(async (id: bigint, options: WalletOptions, command: Command) => {
      const out = outputOf(command);
      const network = await networkOf(options);
      const proposal = await proposalOf(network, id);
      out.table(['what', 'value'], [
        ['state', proposal.state], ['description', proposal.description], ['vote starts', time(proposal.voteStart)],
        ['vote ends', time(proposal.voteEnd)], ['can be executed', proposal.eta === 0n ? 'not queued' : time(proposal.eta)],
      ]);
      out.result(proposal);
      network.close();
    });
}

function advanceCommand(step: 'queue' | 'execute', description: string): Command {
  return withWallet(new Command(step))
    .description(description)
    .argument('<proposal>', 'its number', proposalNumber)
    .addHelpText('after', `\nExample:\n  PICOLO_KEY=0x… picolo params ${step} 8419…\n`)
    .action(async (proposal: bigint, options: WalletOptions, command: Command) => {
      const network = await networkOf(options);
      const { gasUsed } = await advanceProposal(network, proposal, step);
      outputOf(command).line(step === 'queue' ? 'Queued.' : 'Executed.');
      outputOf(command).result({ proposal, step, gasUsed });
      network.close();
    });
}

function parseChanges(name: ParameterGroupName, changes: readonly string[]): ParameterValues {
  const fields: Readonly<Record<string, ParameterUnit>> = parameterGroups[name].fields;
  return Object.fromEntries(changes.map((change) => {
    const [field = '', text = ''] = change.split('=', 2);
    const unit = fields[field];
    if (unit === undefined || !/^\d+(\.\d+)?$/.test(text) || (unit !== 'wei' && text.includes('.'))) {
      throw cliFaults.badOption({ option: '<change>', value: change, expected: `one of ${Object.keys(fields).join(', ')}, an equals sign, a number` });
    }
    return [field, unit === 'wei' ? parseEther(text) : BigInt(text)];
  }));
}

function proposalNumber(text: string): bigint {
  if (!/^\d{1,78}$/.test(text)) throw cliFaults.badOption({ option: '<proposal>', value: text, expected: 'the number that propose printed' });
  return BigInt(text);
}

const shown = (value: bigint, unit: ParameterUnit): string => (unit === 'wei' ? formatEther(value) : String(value));
const time = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString();
