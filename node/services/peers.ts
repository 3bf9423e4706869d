import { decode, encode } from '../../protocol/codec/index.ts';
import { certifiedCheckpointC } from '../../protocol/membership/index.ts';
import { rootsAnswerW, rootsRequestW } from '../../protocol/query/index.ts';
import type { Address, GroupId, Path } from '../../protocol/types/index.ts';
import { serveBlock, serveSnapshot, type Groups, type PeerRequest } from '../host/index.ts';
import type { ChainPort, PeerAddress } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { Histories } from './histories.ts';
import { servePoq, serveRow } from './poq.ts';
import { newestCheckpoint, type ReadParts } from './reads.ts';

export interface PeerParts {
  readonly groups: Groups<SqlLedger>;
  readonly histories: Histories;
  readonly readsOf: (group: GroupId) => ReadParts;
}

/** Answers a member's question about one group. */
export async function servePeer(
  { groups, histories, readsOf }: PeerParts, from: Address, request: PeerRequest,
): Promise<Uint8Array> {
  const group = request.group as GroupId;
  const { ledger } = groups.member(group).storage;
  switch (request.kind) {
    case 'certified': return encode(certifiedCheckpointC, newestCheckpoint(ledger, group));
    case 'snapshot': return serveSnapshot(ledger, request.height, request.from as Path | null);
    case 'anchor': return groups.serveAnchor(group, request.epoch);
    case 'poq': return servePoq(readsOf(group), request.request);
    case 'block': return serveBlock(ledger, request.height);
    case 'roots': return encode(rootsAnswerW, histories.list(ledger, { ...decode(rootsRequestW, request.request), group }));
    case 'row': return serveRow(readsOf(group), request.path as Path, from);
  }
}

/** Everybody this node shares a group with now, or shared one with in the epoch before (state transfer), as announced on chain. */
export function peersOf(chain: ChainPort, self: Address, groups: Groups<SqlLedger>): PeerAddress[] {
  const members = new Set<Address>();
  for (const { view } of groups.members.values()) {
    const before = chain.roster(view.group, view.epoch - 1n) ?? [];
    for (const member of [...view.roster, ...before]) if (member !== self) members.add(member);
  }
  return [...members].flatMap((node) => {
    const address = /tls:\/\/(.+):(\d+)/.exec(chain.nodeOf(node)?.endpoint ?? '');
    return address === null ? [] : [{ node, host: address[1] as string, port: Number(address[2]) }];
  });
}
