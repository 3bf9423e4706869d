import { resolve } from 'node:path';
import { Command } from 'commander';
import { addressOf } from '../../protocol/crypto/index.ts';
import { hash32From, type Address, type GroupId } from '../../protocol/types/index.ts';
import { challengeOf, declareFailure, type Network, type OpenChallenge } from '../../sdk/operator/index.ts';
import { openProvider, outputOf } from '../options.ts';

/** `provider failed`: a broken machine is replaced, not slashed. */
export function failedCommand(): Command {
  return new Command('failed')
    .description('The machine broke: leave a group, and say so on chain, so that silence costs nothing from now on. Once in 90 days.')
    .requiredOption('--dir <dir>', "the provider's folder")
    .requiredOption('--group <id>', 'the replica group to leave')
    .option('--password-file <file>', 'file with the password of the key files')
    .addHelpText('after', '\nExample:\n  picolo provider failed --dir ./provider --group 0x…\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const { network, nodeKey } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      const group = hash32From(options.group as string) as GroupId;
      const [leave, declare] = await declareFailure(network, group, addressOf(nodeKey));
      out.line(`Declared in transaction ${declare.hash}. The owner of the cluster replaces the node; after 7 days it can close the group itself.`);
      out.result({ group, leave, declare });
      network.close();
    });
}

/** Open challenges against a node, in whatever group. */
export async function challengesAgainst(network: Network, node: Address): Promise<readonly (OpenChallenge & { readonly group: GroupId })[]> {
  const events = await network.events('AvailabilityCourt', 'ChallengeOpened', [null, node]);
  const groups = [...new Set(events.map((event) => hash32From(event['group'] as string) as GroupId))];
  const found = await Promise.all(groups.map(async (group) => ({ group, challenge: await challengeOf(network, group, node) })));
  return found.flatMap(({ group, challenge }) => (challenge === undefined ? [] : [{ ...challenge, group }]));
}
