import { askedByPath, askedByRank, signStruct, type StructValue } from '../../../protocol/codec/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import {
  apiFaults, rootListOf, queryHashOf, rangeQueryHash, rangeResultHash, resultHashOf, storedRowHash,
  type PoqRequest, type QueryRequest, type RangeAnswer, type RangeRequest, type ReadAnswer, type ReadEntry, type ReadRequest, type StatementAnswer, type StoredRow,
} from '../../../protocol/query/index.ts';
import { databasePath, schemaPath, txIdOf } from '../../../protocol/rows/index.ts';
import { paymentFaults } from '../../../protocol/metering/index.ts';
import { ZERO_HASH, type Hash32, type Path } from '../../../protocol/types/index.ts';
import { createApi } from '../../../node/api/index.ts';
import type { NodeServices } from '../../../node/ports/index.ts';
import { provenanceOf, type World } from './world.ts';

/** How a node deviates; everything it says is still properly signed. */
export interface Lies {
  /** Changes the row before it is hashed and sent, as a node whose disk was altered would. */
  alter?(row: StoredRow, path: Path): StoredRow | null;
  /** Signs another state root. */
  stateRoot?: Hash32;
  /** Keeps no certificate of the past. */
  forgets?: boolean;
  /** Lists other roots, by how many heights they are old. */
  history?: (age: bigint) => Hash32 | undefined;
  /** Changes the result of a query. */
  result?(answer: { columns: string[]; rows: StatementAnswer['rows'][number][] }): void;
  /** Leaves rows out of a range. */
  omit?: (path: Path) => boolean;
  /** Reports the opposite outcome of a transaction. */
  outcome?: boolean;
  /** The rank whose row it shows instead. */
  rank?: (asked: bigint) => bigint;
  /** Executes a transaction, or does not, and never says so. */
  silent?: 'executes' | 'loses';
  /** Owed so far; asks for payment above. */
  paid?: { wei: bigint };
}

/** What node `index` of the group serves. */
export function servicesOf(world: World, index: number, lies: Lies = {}, urls: readonly string[] = []): NodeServices {
  const key = world.keys[index] as Uint8Array;
  const node = addressOf(key);
  let seq = 0n;
  const place = { group: world.group, epoch: 1n } as const;

  const entryFor = (path: Path, asked: { querier: ReadRequest['querier']; minHeight: bigint; provenance: boolean }, request: Hash32): ReadEntry => {
    const leaf = world.leaves.get(path);
    const honest: StoredRow | null = leaf === undefined ? null : { version: leaf.version, writtenAt: leaf.ts, key: leaf.key, values: leaf.content };
    const row = honest === null ? null : lies.alter === undefined ? honest : lies.alter(honest, path);
    const answer: StructValue<'Answer'> = {
      ...place, height: world.height, minHeight: asked.minHeight, seq: ++seq, stateRoot: lies.stateRoot ?? world.root.hash, path,
      rowHash: row === null ? ZERO_HASH : storedRowHash(row), request, querier: asked.querier, issuedAt: 1n,
    };
    const proof = world.tree.prove(world.root, path);
    const provenance = asked.provenance && leaf !== undefined ? provenanceOf(leaf, path) ?? null : null;
    return { answer, signature: signStruct(world.domain, 'Answer', answer, key), proof, row, provenance };
  };

  const statementFor = (asked: { querier: ReadRequest['querier'] }, queryHash: Hash32, resultHash: Hash32): Pick<RangeAnswer, 'statement' | 'signature'> => {
    const statement: StructValue<'Statement'> = {
      ...place, height: world.height, snapshot: world.closeTs, queryHash, resultHash, querier: asked.querier, seq: ++seq, issuedAt: 1n,
    };
    return { statement, signature: signStruct(world.domain, 'Statement', statement, key) };
  };

  const fresh = (asked: { minTimestamp: bigint }): void => {
    if (asked.minTimestamp > world.closeTs) throw apiFaults.notYet({ closeTs: world.closeTs });
    if (lies.paid !== undefined && lies.paid.wei < 100n) throw paymentFaults.required({ dueWei: 100n, cumulativeWei: 100n });
  };

  const known = (database: ReadRequest['database']): void => {
    if (!world.databases.has(database as never)) throw apiFaults.unknownDatabase({ database });
  };

  return {
    status: () => ({
      node, version: 'test', chainId: world.domain.chainId, verifyingContract: world.domain.verifyingContract, nowMs: 1n, uptimeMs: 1n, peers: 3,
      groups: [{
        group: world.group, cluster: world.cluster, epoch: 1n, roster: world.roster.replicas, apis: urls, replica: index, view: 0n, height: world.height,
        closeTs: world.closeTs, certifiedHeight: world.height, databases: [...world.databases.keys()], state: 'live',
        consensus: null,
      }],
    }),
    health: () => ({ ok: true, checks: [{ name: 'groups', ok: true, detail: '1 live' }] }),
    offer: async ({ cluster, gib }) => {
      const offer = { cluster, node, gib, expiresAt: 9n };
      return { offer, signature: signStruct(world.domain, 'Offer', offer, key) };
    },
    submit: async (tx) => {
      if (lies.silent === 'loses') {
        world.closeTs = ((BigInt(Date.now() + 60_000) << 48n)) as never; // as if the expiry had passed
        throw apiFaults.notFinal();
      }
      const { outcome: honest, ts, entryId, receipt } = world.submit(tx);
      if (lies.silent === 'executes') throw apiFaults.notFinal();
      const outcome = lies.outcome === true ? (honest === 'applied' ? 'aborted' : 'applied') : honest;
      return { txId: txIdOf(world.domain, tx.header), entryId, timestamp: ts, outcome, mode: 'fast', receipt };
    },
    read: async (asked): Promise<ReadAnswer> => {
      known(asked.database);
      fresh(asked);
      return { checkpoint: world.certified(), entries: asked.paths.map((path) => entryFor(path, asked, askedByPath(asked.request))) };
    },
    range: async (asked: RangeRequest): Promise<RangeAnswer> => {
      fresh(asked);
      const { leaves, proof } = world.tree.proveRange(world.root, asked.from, asked.to, asked.limit);
      const rows = leaves.filter(({ path }) => lies.omit?.(path) !== true).map(({ path }) => {
        const leaf = world.leaves.get(path);
        if (leaf === undefined) throw new Error('a leaf without row');
        return { path, row: { version: leaf.version, writtenAt: leaf.ts, key: leaf.key, values: leaf.content } };
      });
      return { checkpoint: world.certified(), rows, proof, ...statementFor(asked, rangeQueryHash(asked), rangeResultHash(rows)) };
    },
    query: async (asked: QueryRequest): Promise<StatementAnswer> => {
      known(asked.database);
      fresh(asked);
      if (asked.asOf !== 0n && asked.asOf !== world.closeTs) throw apiFaults.historyGone();
      const result = world.query(asked.database as never, asked.sql, asked.params);
      lies.result?.(result);
      return { ...result, ...statementFor(asked, queryHashOf(asked), resultHashOf(result.columns, result.rows)) };
    },
    checkpoint: () => world.certified(),
    certificate: (_group, height) => {
      if (lies.forgets === true || height !== world.height) throw apiFaults.historyGone({ height });
      return world.certified();
    },
    roots: ({ request, querier }) => {
      const truth = [...world.past, { height: world.height, stateRoot: world.root.hash }].slice(-3);
      const roots = truth.map((root) => ({ ...root, stateRoot: lies.history?.(world.height - root.height) ?? root.stateRoot }));
      const list = rootListOf(place, roots, { request, querier }, 1n);
      return { roots, list, signature: signStruct(world.domain, 'RootList', list, key) };
    },
    schema: async (asked) => {
      known(asked.database);
      const paths = [schemaPath(asked.database as never), databasePath(asked.database as never)];
      const entries = paths.map((path) => entryFor(path, { ...asked, minHeight: 0n, provenance: false }, askedByPath(asked.request)));
      return { group: world.group, cluster: world.cluster, epoch: 1n, read: { checkpoint: world.certified(), entries } };
    },
    versions: async ({ paths }) => ({
      closeTs: world.closeTs,
      versions: paths.map((path) => ({ version: world.leaves.get(path)?.version ?? ZERO_HASH, writtenAt: world.leaves.get(path)?.ts ?? (0n as never) })),
    }),
    poq: async (asked: PoqRequest): Promise<ReadAnswer> => {
      const entries = asked.ranks.map((rank) => {
        const { path } = world.tree.at(world.root, lies.rank?.(rank) ?? rank);
        return entryFor(path, { ...asked, provenance: true }, askedByRank(asked.request, rank));
      });
      return { checkpoint: world.certified(), entries };
    },
    voucher: async ({ voucher }) => {
      if (lies.paid !== undefined) lies.paid.wei = voucher.cumulative;
      return meter(voucher.cumulative);
    },
    meter: () => meter(0n),
    prepare: () => Promise.reject(apiFaults.notFound({ reason: 'one group alone' })),
    carry: () => ({ decided: '0x' }),
    lookup: () => Promise.reject(apiFaults.notFound({ reason: 'no contracts ask here' })),
    result: () => Promise.reject(apiFaults.notFound({ reason: 'no contracts ask here' })),
  };

  function meter(paidWei: bigint): ReturnType<NodeServices['meter']> {
    const terms = { pricePerGibMonthWei: 1n, pricePerMillionReadsWei: 1n, pricePerMillionWritesWei: 1n, pricePerGibOutWei: 1n, thresholdWei: 10n };
    return { cluster: world.cluster, channel: null, servedWei: 100n, paidWei, terms };
  }
}

export interface RunningNodes {
  readonly urls: string[];
  close(): Promise<void>;
}

/** Serves the group over loopback HTTP, one server per node. */
export async function listen(world: World, lies: readonly Lies[] = []): Promise<RunningNodes> {
  const urls: string[] = [];
  const apis = world.keys.map((_key, i) => createApi({ services: servicesOf(world, i, lies[i] ?? {}, urls) }));
  for (const api of apis) urls.push(await api.listen({ host: '127.0.0.1', port: 0 }));
  return { urls, close: async () => { await Promise.all(apis.map((api) => api.close())); } };
}
