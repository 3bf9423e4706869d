import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { formatEther } from 'ethers';
import { readVouchers } from '../../node/main.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { addressFrom, type Address, type Hex } from '../../protocol/types/index.ts';
import { channelKeyById, channelState, claimShare, collectVoucher, type Network } from '../../sdk/operator/index.ts';
import { openProvider, outputOf } from '../options.ts';

/** `provider collect`: the vouchers this node holds become money of the group's members. */
export function collectCommand(): Command {
  return new Command('collect')
    .description('Collect the vouchers this node was paid with, and claim its share.')
    .requiredOption('--dir <dir>', "the provider's folder")
    .option('--password-file <file>', 'file with the password of the key files')
    .addHelpText('after', '\nExample:\n  picolo provider collect --dir ./provider\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const { config, network, nodeKey } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      const collected = [];
      for (const { channel, cumulative, signature } of readVouchers(join(config.dataDir, 'meters.json'))) {
        const key = await channelKeyById(network, channel);
        const groups = await groupsOf(network, key.salt);
        // another member may have collected the same voucher already: then only the share is left to claim
        const fresh = cumulative > (await channelState(network, channel)).claimedWei;
        const receipt = fresh ? await collectVoucher(network, key, cumulative, signature, groups.map(({ index }) => index)) : undefined;
        for (const { group, epoch, roster } of groups) await claimIfAny(() => claimShare(network, group, epoch, key.token, roster, addressOf(nodeKey)));
        out.line(`Channel ${channel}: ${fresh ? 'collected' : 'was collected'} up to ${formatEther(cumulative)}, own share claimed`);
        collected.push({ channel, cumulative, fresh, ...(receipt === undefined ? {} : { gasUsed: receipt.gasUsed }) });
      }
      if (collected.length === 0) out.line('No vouchers to collect.');
      out.result(collected);
      network.close();
    });
}

/** Nothing new to claim is no failure. */
async function claimIfAny(claim: () => Promise<unknown>): Promise<void> {
  await claim().catch((error: unknown) => {
    if (!isPicoloError(error) || !String(error.facts['reason']).startsWith('NothingNew')) throw error;
  });
}

interface OpenGroup {
  readonly group: Hex & Parameters<typeof claimShare>[1];
  readonly index: number;
  readonly epoch: bigint;
  readonly roster: readonly Address[];
}

/** The cluster's groups with their newest rosters, as the registry's events tell. */
async function groupsOf(network: Network, cluster: Hex): Promise<OpenGroup[]> {
  const formed = await network.events('ClusterRegistry', 'GroupFormed', [null, cluster]);
  const closed = new Set((await network.events('ClusterRegistry', 'GroupClosed')).map((event) => event['group']));
  const open: OpenGroup[] = [];
  for (const event of formed.filter(({ group }) => !closed.has(group))) {
    const started = (await network.events('ClusterRegistry', 'EpochStarted', [event['group']])).at(-1);
    const packed = String(started?.['roster'] ?? '0x').slice(2);
    const roster = (packed.match(/.{40}/g) ?? []).map((signer) => addressFrom(`0x${signer}`));
    open.push({ group: event['group'] as OpenGroup['group'], index: Number(event['index']), epoch: started?.['epoch'] as bigint, roster });
  }
  return open;
}
