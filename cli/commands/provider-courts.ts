import { resolve } from 'node:path';
import { Command } from 'commander';
import { addressOf } from '../../protocol/crypto/index.ts';
import { hash32From, type Address, type GroupId } from '../../protocol/types/index.ts';
import {
  challengeOf, closeGroup, declareFailure, disputes, noticeOf, requestLeave, type DisputeView, type Network, type OpenChallenge,
} from '../../sdk/operator/index.ts';
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
      const declared = await declareFailure(network, group, addressOf(nodeKey));
      out.line(`Declared in transaction ${declared.hash}. The owner of the cluster replaces the node: picolo cluster replace`);
      out.line(`If it does not, picolo provider leave closes the group from ${isoTime(declared.mayCloseAt)} on.`);
      out.result({ group, ...declared });
      network.close();
    });
}

/** `provider leave`: the way out of one group that needs nobody's consent. */
export function leaveCommand(): Command {
  return new Command('leave')
    .description('Give notice to leave a group. Its owner has 7 days to replace the node; then run it again, and it closes the group.')
    .requiredOption('--dir <dir>', "the provider's folder")
    .requiredOption('--group <id>', 'the replica group to leave')
    .option('--password-file <file>', 'file with the password of the key files')
    .addHelpText('after', '\nExample:\n  picolo provider leave --dir ./provider --group 0x…\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const { network, nodeKey } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      const group = hash32From(options.group as string) as GroupId;
      if ((await noticeOf(network, group)) === 0n) {
        const notice = await requestLeave(network, group, addressOf(nodeKey));
        out.line(`Notice given in transaction ${notice.hash}. Keep serving; from ${isoTime(notice.mayCloseAt)} on run this again, unless you were replaced.`);
        out.result({ group, step: 'notice', ...notice });
      } else {
        const closed = await closeGroup(network, group);
        out.line(`Closed the group in transaction ${closed.hash}: its capacity is free.`);
        out.result({ group, step: 'closed', ...closed });
      }
      network.close();
    });
}

const isoTime = (seconds: bigint): string => new Date(Number(seconds) * 1000).toISOString();

/** Open challenges against a node, in whatever group. */
export async function challengesAgainst(network: Network, node: Address): Promise<readonly (OpenChallenge & { readonly group: GroupId })[]> {
  const events = await network.events('AvailabilityCourt', 'ChallengeOpened', [null, node]);
  const groups = [...new Set(events.map((event) => hash32From(event['group'] as string) as GroupId))];
  const found = await Promise.all(groups.map(async (group) => ({ group, challenge: await challengeOf(network, group, node) })));
  return found.flatMap(({ group, challenge }) => (challenge === undefined ? [] : [{ ...challenge, group }]));
}

/** Disputes that go on, in which the node is accused or the wallet sits on the committee. */
export async function disputesOf(network: Network, node: Address): Promise<readonly (DisputeView & { readonly role: 'accused' | 'juror' })[]> {
  const open = (await disputes(network)).filter(({ phase }) => phase !== 'settled');
  const sits = ({ committee }: DisputeView): boolean => committee.some(({ juror }) => juror === network.account);
  return open.filter((found) => found.node === node || sits(found)).map((found) => ({ ...found, role: found.node === node ? 'accused' : 'juror' }));
}
