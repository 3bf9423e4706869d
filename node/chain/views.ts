import type { Address } from '../../protocol/types/index.ts';
import type { ChainPort, ChannelView, Clock, GroupView } from '../ports/index.ts';
import { rosterKey, type ChannelRecord, type Projection } from './projection.ts';

type Views = Pick<ChainPort, 'groupsOf' | 'group' | 'roster' | 'cluster' | 'channelsOf' | 'accessLevel' | 'nodeOf' | 'challengesOf'>;

/** The questions of the port, answered from whatever projection is current. */
export function createViews(current: () => Projection, clock: Clock): Views {
  let indexed: Projection | undefined;
  let bySigner = new Map<Address, GroupView[]>();
  const groupsBySigner = (): Map<Address, GroupView[]> => {
    const projection = current();
    if (projection !== indexed) {
      bySigner = indexGroups(projection);
      indexed = projection;
    }
    return bySigner;
  };
  return {
    groupsOf: (signer) => groupsBySigner().get(signer) ?? [],
    group: (group) => current().groups.get(group),
    roster: (group, epoch) => current().rosters.get(rosterKey(group, epoch)),
    cluster(id) {
      const record = current().clusters.get(id);
      const nowSeconds = BigInt(Math.floor(clock.nowMs() / 1000));
      const terms = record?.terms.findLast(({ effectiveAt }) => effectiveAt <= nowSeconds) ?? record?.terms[0];
      return record === undefined || terms === undefined ? undefined : { ...record, terms };
    },
    channelsOf: (cluster) =>
      [...current().channels.values()]
        .filter((channel) => channel.cluster === cluster)
        .sort(byFunds)
        .map(withoutClaimed),
    accessLevel: (account) => current().levels.get(account) ?? 0,
    challengesOf: (node) => [...current().challenges.values()].filter((challenge) => challenge.node === node),
    nodeOf(signer) {
      const { nodes, nodeOfSigner } = current();
      const node = nodeOfSigner.get(signer);
      return node === undefined ? undefined : nodes.get(node);
    },
  };
}

function indexGroups({ groups }: Projection): Map<Address, GroupView[]> {
  const out = new Map<Address, GroupView[]>();
  for (const group of groups.values()) {
    if (!group.open) continue;
    for (const signer of group.roster) {
      const known = out.get(signer);
      if (known === undefined) out.set(signer, [group]);
      else known.push(group);
    }
  }
  return out;
}

/** What was collected decides the order alone; callers see the channel. */
function withoutClaimed({ channel, cluster, payer, signer, token, depositWei, closeAt }: ChannelRecord): ChannelView {
  return { channel, cluster, payer, signer, token, depositWei, closeAt };
}

function byFunds(a: ChannelRecord, b: ChannelRecord): number {
  const [left, right] = [a.depositWei - a.claimedWei, b.depositWei - b.claimedWei];
  if (left !== right) return left > right ? -1 : 1;
  return a.channel < b.channel ? -1 : 1;
}
