import { encode } from '../../protocol/codec/index.ts';
import {
  apiFaults, type OfferRequest, type ReadAnswer, type SignedOffer, type SubmitAnswer, readAnswerW,
} from '../../protocol/query/index.ts';
import { createdDatabase, databaseIdOf, databasePath, schemaPath, type SignedTransaction } from '../../protocol/rows/index.ts';
import { ZERO_HASH, type ClusterId, type DatabaseId, type GroupId, type Path, type Timestamp } from '../../protocol/types/index.ts';
import type { GroupHost, Groups, Member } from '../host/index.ts';
import type { ChainPort, Clock, NodeServices, Signer, Transport } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { Finishers } from './finishers.ts';
import type { Freshness } from './freshness.ts';
import type { Histories } from './histories.ts';
import type { Meters } from './meters.ts';
import { answerLookup, questionOf, signResult } from './oracle.ts';
import { answerChallenge, newestCheckpoint, readKeys, readRange, runQuery, type ReadParts } from './reads.ts';
import type { NodeGroupStorage } from './storage.ts';
import { carryStage, prepareStage } from './stages.ts';
import { healthOf, statusOf } from './status.ts';
import { submitTransaction } from './submit.ts';

const OFFER_VALID_SECONDS = 3_600n;

export interface ServiceParts {
  readonly signer: Signer;
  readonly chain: ChainPort;
  readonly clock: Clock;
  readonly transport: Transport;
  readonly groups: Groups<SqlLedger>;
  readonly finishers: Finishers;
  readonly meters: Meters;
  readonly histories: Histories;
  readonly freshness: Freshness;
  readonly nextSeq: () => bigint;
  readonly capacityGib: number;
}

type Home = { readonly member: Member<SqlLedger>; readonly cluster: ClusterId; readonly reads: ReadParts };

/** What the node does for clients, over its groups. */
export function createServices(parts: ServiceParts): NodeServices {
  const startedMs = parts.clock.nowMs();
  const homeOf = (group: GroupId): Home => homeOfMember(parts, group);
  const homeOfDatabase = (database: DatabaseId): Home => {
    for (const [group, { storage }] of parts.groups.members) {
      if (storage.ledger.metadata(database) !== undefined) return homeOf(group);
    }
    throw apiFaults.unknownDatabase({ database });
  };
  /** Reads are paid by the cluster whose data they are. */
  const paid = async <T>(home: Home, answer: () => Promise<T>, bytesOf: (value: T) => number): Promise<T> => {
    parts.meters.require(home.cluster);
    const value = await answer();
    parts.meters.charge(home.cluster, { kind: 'read', bytes: bytesOf(value) });
    return value;
  };
  return {
    status: () => statusOf(parts, startedMs),
    health: () => healthOf(parts),
    offer: (request) => offerOf(parts, request),
    submit: (transaction, group) => submit(parts, homeOf, homeOfDatabase, transaction, group),
    ...stageServices(parts, homeOf),
    read: (request) => {
      const home = homeOfDatabase(request.database);
      return paid(home, () => readKeys(home.reads, request), readBytes);
    },
    range: (request) => {
      const home = homeOfDatabase(request.database);
      return paid(home, () => readRange(home.reads, request), (answer) => 200 * answer.rows.length);
    },
    query: (request) => {
      const home = homeOfDatabase(request.database);
      return paid(home, () => runQuery(home.reads, request), (answer) => 50 * answer.rows.length * answer.columns.length);
    },
    lookup: (request) => {
      const question = questionOf(request);
      const home = homeOf(question.group);
      return paid(home, async () => answerLookup(home.reads, parts.chain, question), ({ data }) => data.length / 2);
    },
    result: (request) => {
      const home = homeOfDatabase(request.database);
      return paid(home, () => signResult(home.reads, request), ({ bytes }) => bytes.length / 2);
    },
    checkpoint: (group) => newestCheckpoint(homeOf(group).member.storage.ledger, group),
    certificate: (group, height) => parts.histories.at(homeOf(group).member.view.group, height),
    roots: (request) => parts.histories.list(homeOf(request.group as GroupId).member.storage.ledger, request),
    schema: async (request) => {
      const home = homeOfDatabase(request.database);
      const paths = [schemaPath(request.database), databasePath(request.database)];
      const read = await readKeys(home.reads, { ...request, paths, keys: [], minHeight: 0n, provenance: false });
      return { group: home.member.view.group, cluster: home.cluster, epoch: read.checkpoint.checkpoint.epoch, read };
    },
    versions: async ({ database, paths, minTimestamp }) => {
      const { ledger } = homeOfDatabase(database).member.storage;
      await parts.freshness.until(() => (ledger.position().closeTs >= minTimestamp ? true : undefined));
      return {
        closeTs: ledger.position().closeTs,
        versions: paths.map((path) => {
          const found = ledger.versionOf(path as Path);
          return { version: found?.version ?? ZERO_HASH, writtenAt: found?.writtenAt ?? (0n as Timestamp) };
        }),
      };
    },
    poq: (request) => answerChallenge(homeOf(request.group as GroupId).reads, request),
    voucher: (voucher) => parts.meters.take(voucher, clustersOf(parts)),
    meter: (cluster) => {
      if (!clustersOf(parts).includes(cluster)) throw apiFaults.unknownGroup({ cluster });
      return parts.meters.answer(cluster);
    },
  };
}

function homeOfMember(parts: ServiceParts, group: GroupId): Home {
  const member = parts.groups.members.get(group);
  // a member that left keeps its state for those that follow it, and answers no clients
  if (member === undefined || !member.view.roster.includes(parts.signer.address)) throw apiFaults.unknownGroup({ group });
  const { ledger, pool } = member.storage as NodeGroupStorage;
  const { signer, clock, freshness, nextSeq } = parts;
  return { member, cluster: member.view.cluster, reads: { group, ledger, pool, signer, clock, freshness, nextSeq } };
}

/** Transactions over several groups. */
function stageServices(parts: ServiceParts, homeOf: (group: GroupId) => Home): Pick<NodeServices, 'prepare' | 'carry'> {
  return {
    prepare: async (request) => {
      const home = homeOf(request.group as GroupId);
      parts.meters.require(home.cluster);
      return prepareStage(parts, hostOf(home), request);
    },
    carry: (request) => {
      homeOf(request.group as GroupId);
      return carryStage(parts.finishers, request);
    },
  };
}

function hostOf({ member: { host, state } }: Home): GroupHost {
  if (host === undefined) throw apiFaults.unavailable({ reason: `this replica is ${state}` });
  return host;
}

async function submit(
  parts: ServiceParts, homeOf: (group: GroupId) => Home, homeOfDatabase: (database: DatabaseId) => Home, tx: SignedTransaction,
  group: GroupId | undefined,
): Promise<SubmitAnswer> {
  const created = createdDatabase(tx.body.mutations);
  const home = created === undefined ? homeOfDatabase(tx.header.database) : homeOf(created.group);
  if (created !== undefined && (databaseIdOf(created) !== tx.header.database || (group !== undefined && group !== created.group))) {
    throw apiFaults.badTransaction({ reason: 'the database is not the one its metadata describe' });
  }
  parts.meters.require(home.cluster);
  return submitTransaction({ host: hostOf(home), ledger: home.member.storage.ledger, domain: parts.signer.domain, clock: parts.clock }, tx);
}

/** An offer binds capacity the operator configured; the chain refuses what is already in use. */
async function offerOf({ signer, chain, clock, capacityGib }: ServiceParts, { cluster, gib }: OfferRequest): Promise<SignedOffer> {
  const self = chain.nodeOf(signer.address);
  if (self === undefined) throw apiFaults.forbidden({ reason: 'this node is not registered' });
  if (self.tombstoned) throw apiFaults.forbidden({ reason: 'this node was convicted' });
  if (gib === 0 || gib > Math.min(capacityGib, self.offeredGib)) throw apiFaults.forbidden({ reason: 'more than this node offers', gib, offeredGib: self.offeredGib });
  const offer = { cluster, node: self.node, gib, expiresAt: chainTime(chain, clock) + OFFER_VALID_SECONDS };
  return { offer, signature: signer.sign('Offer', offer) };
}

/** The contract judges by the time of its block: the newest one may be old where nothing happens, and ahead of this clock on a chain that was set forward. */
function chainTime(chain: ChainPort, clock: Clock): bigint {
  const own = BigInt(Math.floor(clock.nowMs() / 1000));
  const { timestamp } = chain.beacon() ?? { timestamp: own };
  return timestamp > own ? timestamp : own;
}

function clustersOf({ groups }: ServiceParts): ClusterId[] {
  return [...new Set([...groups.members.values()].map(({ view }) => view.cluster))];
}

function readBytes(answer: ReadAnswer): number {
  return encode(readAnswerW, answer).length;
}

