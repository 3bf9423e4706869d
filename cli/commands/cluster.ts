import { Command, Option } from 'commander';
import { formatEther } from 'ethers';
import { ZERO_ADDRESS, addressFrom, hash32From, type GroupId } from '../../protocol/types/index.ts';
import {
  channelKeyOf, closeGroup, collectOffers, createCluster, formGroup, fundChannel, listProviders, replaceNode, waitForGroup, type ClusterOrder, type Network,
} from '../../sdk/operator/index.ts';
import { networkOf, outputOf, tokens, wholeNumber, withWallet, type WalletOptions } from '../options.ts';

/** Prices a new cluster offers when nothing else is said; wei of ether. */
const DEFAULT_TERMS: ClusterOrder['terms'] = {
  token: ZERO_ADDRESS,
  pricePerGibMonthWei: 20_000_000_000_000_000n, // 0.02 ether
  pricePerMillionReadsWei: 1_000_000_000_000_000n, // 0.001 ether
  pricePerMillionWritesWei: 5_000_000_000_000_000n, // 0.005 ether
  pricePerGibOutWei: 10_000_000_000_000_000n, // 0.01 ether
  thresholdWei: 10_000_000_000_000n, // 0.00001 ether
};

export function clusterCommand(): Command {
  return new Command('cluster').description('Order replicas from staked providers.')
    .addCommand(createCommand()).addCommand(replaceCommand()).addCommand(closeCommand());
}

/** The help text shows a default in ether: it cannot print wei by itself. */
function etherOption(flags: string, description: string, defaultWei: bigint): Option {
  return new Option(flags, description).argParser(tokens(flags.split(' ')[0] as string)).default(defaultWei, formatEther(defaultWei));
}

function createCommand(): Command {
  return withWallet(new Command('create'))
    .description('Create a cluster, form its first group from offers, open a payment channel.')
    .option('--replicas <n>', 'replicas of each group: 4 tolerates one liar, 7 two', wholeNumber('--replicas', 1, 64), 4)
    .option('--region <name...>', 'regions the replicas may stand in (default: any)')
    .option('--size <gib>', 'capacity of the group in GiB', wholeNumber('--size', 1, 16_000_000), 1)
    .addOption(etherOption('--deposit <ether>', 'ether to put into the payment channel', 10n ** 17n))
    .addOption(etherOption('--threshold <ether>', 'unpaid service after which nodes stop', DEFAULT_TERMS.thresholdWei))
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo cluster create --replicas 4 --region eu-west --deposit 0.1\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const network = await networkOf(options as WalletOptions);
      const order: ClusterOrder = {
        replicationFactor: options.replicas as number, regions: (options.region as string[] | undefined) ?? [],
        terms: { ...DEFAULT_TERMS, thresholdWei: options.threshold as bigint },
      };
      const made = await orderCluster(network, order, options.size as number, options.deposit as bigint);
      out.line(`Cluster ${made.cluster}\nGroup   ${made.group}\nChannel ${made.channel}`);
      out.result(made);
      network.close();
    });
}

function replaceCommand(): Command {
  return withWallet(new Command('replace'))
    .description('Put another provider in the place of a member that left, broke or was convicted. The newcomer fetches the state by itself.')
    .requiredOption('--group <id>', 'the replica group')
    .requiredOption('--node <address>', 'the member to replace')
    .option('--by <address>', 'the provider to take (default: any that offers the capacity and is no member)')
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo cluster replace --group 0x… --node 0x…\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const network = await networkOf(options as WalletOptions);
      const [group, leaving] = [hash32From(options.group as string) as GroupId, addressFrom(options.node)];
      const replaced = await replaceNode(network, group, leaving, options.by === undefined ? undefined : addressFrom(options.by));
      out.line(`${replaced.joined} takes the place of ${leaving} in epoch ${replaced.epoch}; transaction ${replaced.hash}`);
      out.result(replaced);
      network.close();
    });
}

function closeCommand(): Command {
  return withWallet(new Command('close'))
    .description('End a group of your cluster: it serves nobody any more, and its members may go. Take your data out first.')
    .requiredOption('--group <id>', 'the replica group')
    .addHelpText('after', '\nExample:\n  PICOLO_KEY=0x… picolo cluster close --group 0x…\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const network = await networkOf(options as WalletOptions);
      const closed = await closeGroup(network, hash32From(options.group as string) as GroupId);
      out.line(`Closed in transaction ${closed.hash}`);
      out.result(closed);
      network.close();
    });
}

/** Cluster, group and channel in one go; the wallet's own key signs the vouchers. */
export async function orderCluster(network: Network, order: ClusterOrder, gib: number, depositWei: bigint): Promise<{
  cluster: `0x${string}`; group: `0x${string}`; channel: `0x${string}`; members: readonly string[]; gas: Record<string, bigint>;
}> {
  const created = await createCluster(network, order);
  const providers = await listProviders(network, created.cluster);
  const offers = await collectOffers(network.domain, providers, created.cluster, gib, order.replicationFactor);
  const formed = await formGroup(network, created.cluster, gib, offers);
  const key = channelKeyOf(network, created.cluster, addressFrom(network.wallet.address), order.terms.token);
  const funded = await fundChannel(network, key, depositWei);
  const members = offers.map(({ offer }) => offer.node);
  await waitForGroup(providers.filter(({ node }) => members.includes(node)).map(({ apiUrl }) => apiUrl), formed.group);
  return {
    cluster: created.cluster, group: formed.group, channel: funded.channel, members,
    gas: { createCluster: created.gasUsed, formGroup: formed.gasUsed, openChannel: funded.gasUsed },
  };
}
