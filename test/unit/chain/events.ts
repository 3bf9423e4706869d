import type { GroupView, NodeView } from '../../../node/ports/index.ts';
import { ZERO_ADDRESS, type Address, type Hash32 } from '../../../protocol/types/index.ts';
import { clusterAt, termsFrom } from '../../conformance/chain.ts';
import { deployment, type FakeEvent } from './fake-chain.ts';

/** Events as the contracts emit them. */
export function registered({ node, owner, activeStakeWei, offeredGib, region, endpoint }: NodeView): FakeEvent[] {
  return [
    { contract: 'StakeVault', name: 'Registered', args: [node, owner, node] },
    staked(node, activeStakeWei),
    { contract: 'NodeRegistry', name: 'NodeUpdated', args: [node, { gib: offeredGib, vcpu: 1, memoryGib: 2, mbps: 100, region }] },
    { contract: 'NodeRegistry', name: 'Announced', args: [node, endpoint] },
  ];
}

export function staked(node: Address, amountWei: bigint): FakeEvent {
  return { contract: 'StakeVault', name: 'Deposited', args: [node, node, amountWei] };
}

export function clusterCreated(n: number): FakeEvent[] {
  const { cluster, owner, replicationFactor, regionMask } = clusterAt(n);
  const created: FakeEvent = { contract: 'ClusterRegistry', name: 'ClusterCreated', args: [cluster, owner, replicationFactor, regionMask] };
  return [created, termsChanged(cluster, 1n)];
}

export function termsChanged(cluster: Hash32, effectiveAt: bigint, pricePerGibMonth = 1n): FakeEvent {
  const terms = termsFrom(effectiveAt);
  const struct = {
    token: terms.token, pricePerGibMonth, pricePerMillionReads: terms.pricePerMillionReadsWei,
    pricePerMillionWrites: terms.pricePerMillionWritesWei, pricePerGibOut: terms.pricePerGibOutWei, threshold: terms.thresholdWei,
  };
  return { contract: 'ClusterRegistry', name: 'TermsChanged', args: [cluster, struct, effectiveAt] };
}

export function epochStarted({ group, cluster, epoch, roster, gib }: GroupView): FakeEvent[] {
  const packed = `0x${roster.map((signer) => signer.slice(2)).join('')}`;
  const started: FakeEvent = { contract: 'ClusterRegistry', name: 'EpochStarted', args: [group, epoch, packed] };
  if (epoch === 1n) return [{ contract: 'ClusterRegistry', name: 'GroupFormed', args: [group, cluster, 0, gib] }, started];
  return [{ contract: 'ClusterRegistry', name: 'EpochEnded', args: [group, epoch - 1n] }, started];
}

export function groupClosed({ group }: GroupView): FakeEvent {
  return { contract: 'ClusterRegistry', name: 'GroupClosed', args: [group] };
}

export function channelOpened(
  channel: Hash32, cluster: Hash32, payer: Address, amountWei: bigint, payee = deployment.addresses.ClusterSplitter,
): FakeEvent {
  return { contract: 'PaymentChannels', name: 'ChannelOpened', args: [channel, payer, payee, ZERO_ADDRESS, payer, cluster, amountWei] };
}

export function onChannel(name: string, channel: Hash32, ...args: bigint[]): FakeEvent {
  return { contract: 'PaymentChannels', name, args: [channel, ...args] };
}
