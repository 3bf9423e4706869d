import { Interface, type LogDescription } from 'ethers';
import { abis, type ContractName, type Deployment } from '../../contracts/index.ts';
import {
  addressFrom, bytesOf, hash32From, hexOf, type Address, type ClusterId, type GroupId, type Hash32, type Hex, type Path,
} from '../../protocol/types/index.ts';
import type { ChallengeView, TermsView } from '../ports/index.ts';

export type ChainEvent =
  | { readonly kind: 'Registered'; readonly node: Address; readonly owner: Address; readonly signer: Address }
  | { readonly kind: 'SignerRotated'; readonly node: Address; readonly signer: Address }
  | { readonly kind: 'StakeChanged'; readonly node: Address; readonly deltaWei: bigint }
  | { readonly kind: 'Slashed'; readonly node: Address; readonly amountWei: bigint; readonly convicted: boolean }
  | { readonly kind: 'NodeUpdated'; readonly node: Address; readonly gib: number; readonly region: number }
  | { readonly kind: 'Announced'; readonly node: Address; readonly endpoint: string }
  | {
      readonly kind: 'ClusterCreated'; readonly cluster: ClusterId; readonly owner: Address; readonly replicationFactor: number;
      readonly regionMask: number;
    }
  | { readonly kind: 'TermsChanged'; readonly cluster: ClusterId; readonly terms: TermsView }
  | { readonly kind: 'GroupFormed'; readonly group: GroupId; readonly cluster: ClusterId; readonly gib: number }
  | { readonly kind: 'EpochStarted'; readonly group: GroupId; readonly epoch: bigint; readonly roster: readonly Address[] }
  | { readonly kind: 'GroupClosed'; readonly group: GroupId }
  | {
      readonly kind: 'ChannelOpened'; readonly channel: Hash32; readonly payer: Address; readonly payee: Address; readonly token: Address;
      readonly signer: Address; readonly salt: Hash32; readonly amountWei: bigint;
    }
  | { readonly kind: 'ChannelFunded'; readonly channel: Hash32; readonly deltaWei: bigint }
  | { readonly kind: 'ChannelCollected'; readonly channel: Hash32; readonly paidWei: bigint }
  | { readonly kind: 'ChannelClosing'; readonly channel: Hash32; readonly closeAt: bigint }
  | { readonly kind: 'LevelChanged'; readonly account: Address; readonly level: number }
  | { readonly kind: 'ChallengeOpened'; readonly challenge: ChallengeView }
  | { readonly kind: 'ChallengeClosed'; readonly group: GroupId; readonly node: Address };

type Fields = Readonly<Record<string, any>>;
type Reader = (f: Fields) => ChainEvent;

const nodeOf = (f: Fields): Address => addressFrom(f['node']);
const stakeChange = (sign: bigint): Reader => (f) => ({ kind: 'StakeChanged', node: nodeOf(f), deltaWei: sign * (f['amount'] as bigint) });
const channelOf = (f: Fields): Hash32 => hash32From(f['channel']);
const groupOf = (f: Fields): GroupId => hash32From(f['group']) as GroupId;
const clusterOf = (f: Fields): ClusterId => hash32From(f['cluster']) as ClusterId;

/** `IStakeVault.Status`: what comes after it ends a node's service. */
const ACTIVE = 1;

/** What is followed, by contract; everything else that the contracts emit is skipped. */
const followed = {
  StakeVault: {
    Registered: (f) => ({ kind: 'Registered', node: nodeOf(f), owner: addressFrom(f['owner']), signer: addressFrom(f['signer']) }),
    SignerRotated: (f) => ({ kind: 'SignerRotated', node: nodeOf(f), signer: addressFrom(f['signer']) }),
    Deposited: stakeChange(1n),
    UnbondRequested: stakeChange(-1n),
    UnbondCancelled: stakeChange(1n),
    Slashed: (f) => ({ kind: 'Slashed', node: nodeOf(f), amountWei: f['amount'] as bigint, convicted: Number(f['status']) > ACTIVE }),
  },
  NodeRegistry: {
    NodeUpdated: (f) => {
      const { gib, region } = f['resources'] as Fields;
      return { kind: 'NodeUpdated', node: nodeOf(f), gib: Number(gib), region: Number(region) };
    },
    Announced: (f) => ({ kind: 'Announced', node: nodeOf(f), endpoint: f['endpoint'] }),
  },
  ClusterRegistry: {
    ClusterCreated: (f) => ({
      kind: 'ClusterCreated', cluster: clusterOf(f), owner: addressFrom(f['owner']), replicationFactor: Number(f['replicationFactor']),
      regionMask: Number(f['regionMask']),
    }),
    TermsChanged: (f) => ({ kind: 'TermsChanged', cluster: clusterOf(f), terms: termsOf(f['terms'], f['effectiveAt']) }),
    GroupFormed: (f) => ({ kind: 'GroupFormed', group: groupOf(f), cluster: clusterOf(f), gib: Number(f['gib']) }),
    EpochStarted: (f) => ({ kind: 'EpochStarted', group: groupOf(f), epoch: f['epoch'], roster: unpackRoster(f['roster']) }),
    GroupClosed: (f) => ({ kind: 'GroupClosed', group: groupOf(f) }),
  },
  PaymentChannels: {
    ChannelOpened: (f) => ({
      kind: 'ChannelOpened', channel: channelOf(f), payer: addressFrom(f['payer']), payee: addressFrom(f['payee']),
      token: addressFrom(f['token']), signer: addressFrom(f['signer']), salt: hash32From(f['salt']), amountWei: f['amount'],
    }),
    ToppedUp: (f) => ({ kind: 'ChannelFunded', channel: channelOf(f), deltaWei: f['amount'] }),
    ChannelWithdrawn: (f) => ({ kind: 'ChannelFunded', channel: channelOf(f), deltaWei: -(f['amount'] as bigint) }),
    Collected: (f) => ({ kind: 'ChannelCollected', channel: channelOf(f), paidWei: f['paid'] }),
    CloseRequested: (f) => ({ kind: 'ChannelClosing', channel: channelOf(f), closeAt: f['closeAt'] }),
    CloseCancelled: (f) => ({ kind: 'ChannelClosing', channel: channelOf(f), closeAt: 0n }),
  },
  AccessDeposits: {
    LevelChanged: (f) => ({ kind: 'LevelChanged', account: addressFrom(f['account']), level: Number(f['level']) }),
  },
  AvailabilityCourt: {
    ChallengeOpened: (f) => ({
      kind: 'ChallengeOpened',
      challenge: {
        group: groupOf(f), node: nodeOf(f), challenger: addressFrom(f['challenger']), epoch: f['epoch'], height: f['height'],
        path: hash32From(f['path']) as string as Path, answerBy: f['answerBy'],
      },
    }),
    // in time it ends the challenge; late it is followed by the other
    Answered: (f) => ({ kind: 'ChallengeClosed', group: groupOf(f), node: nodeOf(f) }),
    ChallengeClosed: (f) => ({ kind: 'ChallengeClosed', group: groupOf(f), node: nodeOf(f) }),
  },
} satisfies Partial<Record<ContractName, Record<string, Reader>>>;

export interface EventDecoder {
  /** The contracts that emit what is followed. */
  readonly addresses: readonly Address[];
  /** First topics of what is followed. */
  readonly topics: readonly Hex[];
  /** Undefined for anything that is not followed, whoever emitted it. */
  decode(log: { readonly address: Address; readonly topics: readonly Hex[]; readonly data: Hex }): ChainEvent | undefined;
}

export function createEventDecoder(deployment: Deployment): EventDecoder {
  const byAddress = new Map<Address, { readonly abi: Interface; readonly readers: Readonly<Record<string, Reader>> }>();
  const topics = new Set<Hex>();
  for (const [name, readers] of Object.entries(followed) as [keyof typeof followed, Record<string, Reader>][]) {
    const abi = new Interface(abis[name]);
    byAddress.set(deployment.addresses[name], { abi, readers });
    for (const event of Object.keys(readers)) topics.add(abi.getEvent(event)?.topicHash as Hex);
  }
  return {
    addresses: [...byAddress.keys()],
    topics: [...topics],
    decode({ address, topics: logTopics, data }) {
      const contract = byAddress.get(address);
      const parsed: LogDescription | null | undefined = contract?.abi.parseLog({ topics: [...logTopics], data });
      if (contract === undefined || parsed === null || parsed === undefined) return undefined;
      return contract.readers[parsed.name]?.(parsed.args.toObject() as Fields);
    },
  };
}

function termsOf(terms: Fields, effectiveAt: bigint): TermsView {
  return {
    token: addressFrom(terms['token']), pricePerGibMonthWei: terms['pricePerGibMonth'],
    pricePerMillionReadsWei: terms['pricePerMillionReads'], pricePerMillionWritesWei: terms['pricePerMillionWrites'],
    pricePerGibOutWei: terms['pricePerGibOut'], thresholdWei: terms['threshold'], effectiveAt,
  };
}

/** 20 bytes per signer, ascending (the contract enforces the order). */
function unpackRoster(packed: string): Address[] {
  const bytes = bytesOf(packed.toLowerCase() as Hex);
  const roster: Address[] = [];
  for (let at = 0; at + 20 <= bytes.length; at += 20) roster.push(hexOf(bytes.subarray(at, at + 20)) as Address);
  return roster;
}
