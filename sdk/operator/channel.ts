import { ZERO_ADDRESS, type Address, type ClusterId, type GroupId, type Hash32, type Hex } from '../../protocol/types/index.ts';
import { operatorFaults } from './faults.ts';
import type { Network, Receipt } from './network.ts';

/** Names a payment channel of a cluster; its payee is the splitter, which shares over the members. */
export interface ChannelKey {
  readonly payer: Address;
  readonly payee: Address;
  readonly token: Address;
  readonly signer: Address;
  readonly salt: ClusterId;
}

/** The channel that pays for a cluster; `signer` is the key that signs vouchers. */
export function channelKeyOf(network: Network, cluster: ClusterId, signer: Address, token: Address = ZERO_ADDRESS): ChannelKey {
  return { payer: network.account, payee: network.address('ClusterSplitter'), token, signer, salt: cluster };
}

/** Opens the channel or adds to it. */
export async function fundChannel(network: Network, key: ChannelKey, amountWei: bigint): Promise<Receipt & { channel: Hash32 }> {
  if (key.token !== ZERO_ADDRESS) {
    await network.send('PintToken', 'approve', [network.address('PaymentChannels'), amountWei]);
  }
  const receipt = await network.send('PaymentChannels', 'fund', [key, amountWei], key.token === ZERO_ADDRESS ? amountWei : 0n);
  const channel = (await network.contract('PaymentChannels').getFunction('channelId')(key)) as Hash32;
  return { ...receipt, channel };
}

export async function channelState(network: Network, channel: Hash32): Promise<{ depositWei: bigint; claimedWei: bigint }> {
  const state = (await network.contract('PaymentChannels').getFunction('channelOf')(channel)) as Record<string, bigint>;
  return { depositWei: state['deposit'] as bigint, claimedWei: state['claimed'] as bigint };
}

/** Collects a voucher and shares it over the cluster's open groups; anybody may send it. */
export function collectVoucher(
  network: Network, key: ChannelKey, cumulativeWei: bigint, signature: Hex, groupIndexes: readonly number[],
): Promise<Receipt> {
  return network.send('ClusterSplitter', 'collect', [key, cumulativeWei, signature, groupIndexes]);
}

/** The key of a channel by its id, from the event that opened it; CHAIN_REFUSED when there is none. */
export async function channelKeyById(network: Network, channel: Hash32): Promise<ChannelKey> {
  const [opened] = await network.events('PaymentChannels', 'ChannelOpened', [channel]);
  if (opened === undefined) throw operatorFaults.refused({ channel, reason: 'no such channel' });
  const { payer, payee, token, signer, salt } = opened as unknown as ChannelKey;
  return { payer, payee, token, signer, salt };
}

/** A member's part of what its group epoch was paid, to the owner of its node; anybody may send it. */
export function claimShare(network: Network, group: GroupId, epoch: bigint, token: Address, roster: readonly Address[], member: Address): Promise<Receipt> {
  const packed = `0x${roster.map((signer) => signer.slice(2)).join('')}`;
  return network.send('ClusterSplitter', 'claim', [group, epoch, token, packed, roster.indexOf(member)]);
}
