import { expect } from 'chai';
import { encode } from '../../../protocol/codec/index.ts';
import { nodeStatusW, type NodeStatus, type ReplicaStatusAnswer } from '../../../protocol/query/index.ts';
import { groupReport } from '../../../sdk/index.ts';
import { servicesOf } from './nodes.ts';
import { World } from './world.ts';

const inside: ReplicaStatusAnswer = {
  leader: 2, changingTo: null, mode: 'fast', fast: 9n, classic: 1n, aborted: 0n, rejects: 4n, viewChanges: 6n, pending: 0, behind: 0n, lagMs: 40n, peers: [],
};
const urlOf = (replica: number): string => `http://replica-${replica}`;

describe('sdk: report of a group', () => {
  const world = new World();
  const { roster: { replicas: roster } } = world;
  const statusOf = (replica: number, height: bigint, offsets: readonly number[]): NodeStatus => {
    const status = servicesOf(world, replica).status();
    const peers = offsets.map((clockOffsetMs, at) => ({ replica: at, height, clockOffsetMs })).filter((peer) => peer.replica !== replica);
    const apis = roster.map((_, at) => urlOf(at)).filter((url) => url !== urlOf(replica));
    return { ...status, groups: status.groups.map((group) => ({ ...group, apis, height, view: 6n, consensus: { ...inside, peers } })) };
  };
  const nodes = new Map<string, NodeStatus>();
  const fetcher = async (url: string): Promise<Response> => {
    const status = nodes.get(new URL(url).origin);
    if (status === undefined) throw new TypeError('refused');
    return new Response(encode(nodeStatusW, status) as BodyInit, { headers: { 'content-type': 'application/cbor' } });
  };

  it('asks every member that one of them names, and measures each against the others', async () => {
    nodes.set(urlOf(0), statusOf(0, 10n, [0, -1, 99, 3])).set(urlOf(1), statusOf(1, 7n, [2, 0, 100, 0])).set(urlOf(3), statusOf(3, 10n, [1, -5, 120, 0]));
    const [report] = await groupReport(urlOf(0), undefined, 1_000, fetcher);
    expect([report?.group, report?.tip]).to.deep.equal([world.group, 10n]);
    const told = report?.members.map(({ replica, state, behind, clockOffsetMs, fastShare }) => ({ replica, state, behind, clockOffsetMs, fastShare }));
    expect(told).to.deep.equal([
      { replica: 0, state: 'live', behind: 0n, clockOffsetMs: 2, fastShare: 0.9 },
      { replica: 1, state: 'live', behind: 3n, clockOffsetMs: -1, fastShare: 0.9 },
      { replica: 2, state: 'unreachable', behind: null, clockOffsetMs: 100, fastShare: null },
      { replica: 3, state: 'live', behind: 0n, clockOffsetMs: 3, fastShare: 0.9 },
    ]);
    expect(report?.members[0]).to.include({ node: roster[0], view: 6n, leader: 2, mode: 'fast', rejects: 4n, viewChanges: 6n, lagMs: 40n });
  });

  it('says so when the node that was named does not answer, and is empty for a group it does not know', async () => {
    expect(await groupReport('http://nobody', undefined, 1_000, fetcher).then(() => '', ({ code }) => code)).to.equal('SDK_NO_NODE');
    expect(await groupReport(urlOf(0), `0x${'00'.repeat(32)}` as never, 1_000, fetcher)).to.deep.equal([]);
  });
});
