import { join } from 'node:path';
import { encodeCrossGroupMessage, type CrossGroupMessage } from '../protocol/cross-group/index.ts';
import type { Address, GroupId } from '../protocol/types/index.ts';
import type { NodeConfig } from './config/index.ts';
import type { Foundations } from './foundations.ts';
import { createRouter, Groups, type GroupsEvents } from './host/index.ts';
import { carryTo } from './network/index.ts';
import type { NodeEvents } from './observe/index.ts';
import type { ChainPort } from './ports/index.ts';
import {
  Audits, Courts, Finishers, Freshness, Histories, Meters, openGroupStorage, peersOf, PoqLoops, Reporter, servePeer,
  type EvidenceOutcome, type NodeGroupStorage, type ReadParts,
} from './services/index.ts';
import type { SqlLedger } from './storage/index.ts';

/** A list of roots is asked of a peer once in so many Proof-of-Query intervals. */
const POQ_PER_AUDIT = 6;

/** The node's part in its groups: replicas, challengers, meters, the evidence they find. */
export interface Memberships {
  readonly groups: Groups<SqlLedger>;
  readonly finishers: Finishers;
  readonly meters: Meters;
  readonly histories: Histories;
  readonly freshness: Freshness;
  readonly nextSeq: () => bigint;
  stop(): Promise<void>;
}

export function joinGroups(base: Foundations, config: NodeConfig): Memberships {
  const { signer, chain, clock, transport, metrics, events, log } = base;
  const freshness = new Freshness(clock);
  const meters = new Meters({ chain, domain: signer.domain, file: join(config.dataDir, 'meters.json') });
  const histories = new Histories({ signer, chain, clock });
  const nextSeq = answerNumbers(clock.nowMs());
  const reporter = new Reporter({ chain, self: signer.address, onOutcome: (outcome) => noteEvidence(base, outcome) });
  const readsOf = (group: GroupId): ReadParts => {
    const { ledger, pool } = groups.member(group).storage as NodeGroupStorage;
    return { group, ledger, pool, signer, clock, freshness, nextSeq };
  };
  const router = createRouter(transport, clock, (from, request) => servePeer({ groups, histories, readsOf }, from, request));
  let loops: PoqLoops | undefined;
  let courts: Courts | undefined;
  let finishers: Finishers | undefined;
  const groups: Groups<SqlLedger> = new Groups<SqlLedger>({
    domain: signer.domain, signer, chain, clock, requests: router.requests, timing: config.group, classicOnly: config.group.classicOnly,
    openStorage: (group) => openGroupStorage(config.dataDir, group, signer.domain, metrics.storage, config.group.historyMs),
    send: router.send,
    events: groupEvents(base, { meters, histories, freshness, reporter, loops: () => loops, courts: () => courts, finishers: () => finishers }),
  });
  finishers = new Finishers({ groups, chain, clock, self: signer.address, carry: (to, group, message) => carry(chain, to, group, message) });
  for (const group of groups.members.keys()) finishers.follow(group);
  loops = new PoqLoops({
    groups, chain, clock, requests: router.requests, reporter, readsOf, intervalMs: config.poqIntervalMs,
    onOutcome: (target, outcome) => events.poqAsked('peer', target, outcome, 0),
    onSilent: (roster, target, failures) => courts?.silent(roster, target, failures),
  });
  courts = new Courts({
    chain, self: signer.address, clock, groups, challengeAfter: config.challengeAfter, onOutcome: (outcome) => log.warn(outcome, 'court'),
  });
  const audits = new Audits({
    groups, histories, signer, clock, requests: router.requests, reporter, intervalMs: POQ_PER_AUDIT * config.poqIntervalMs,
    onOutcome: (target, outcome) => events.audited(target, outcome),
  });
  router.onConsensus((from, group, epoch, message) => groups.deliver(from, group, epoch, message));
  const followPeers = (): void => transport.setPeers(peersOf(chain, signer.address, groups));
  chain.onChange(followPeers);
  followPeers();
  const stop = async (): Promise<void> => {
    loops?.stop();
    finishers.stop();
    audits.stop();
    for (const { storage } of groups.members.values()) await (storage as NodeGroupStorage).pool.close();
    await groups.stop();
    meters.save();
  };
  return { groups, finishers, meters, histories, freshness, nextSeq, stop };
}

/** Members of another group are known by what they announced on chain. */
async function carry(chain: ChainPort, to: Address, group: GroupId, message: CrossGroupMessage): Promise<void> {
  const [apiUrl] = chain.nodeOf(to)?.endpoint.split(' ') ?? [];
  if (apiUrl !== undefined && apiUrl !== '') await carryTo(apiUrl, group, encodeCrossGroupMessage(message));
}

function noteEvidence({ log, metrics }: Foundations, outcome: EvidenceOutcome): void {
  metrics.chain.evidence(outcome.offence, outcome.outcome);
  log.warn(outcome, 'evidence');
}

interface Followers {
  readonly meters: Meters;
  readonly histories: Histories;
  readonly freshness: Freshness;
  readonly reporter: Reporter;
  readonly loops: () => PoqLoops | undefined;
  readonly courts: () => Courts | undefined;
  readonly finishers: () => Finishers | undefined;
}

function groupEvents({ chain, events }: Foundations, { meters, histories, freshness, reporter, loops, courts, finishers }: Followers): GroupsEvents {
  return {
    onCommitted(group, block, fast) {
      const cluster = chain.group(group)?.cluster;
      for (const { command, outcome } of block.entries) {
        if (cluster !== undefined && outcome === 'applied') meters.charge(cluster, { kind: 'write', bytes: command.bytes.length });
      }
      const aborted = block.entries.filter(({ outcome }) => outcome === 'aborted').length;
      events.committed(group, block.height, { fast, classic: block.entries.length - aborted - fast, aborted });
      finishers()?.committed(group, block);
      freshness.wake();
    },
    onCertified(group, certificate) {
      events.certified(group, certificate.checkpoint.height);
      histories.remember(certificate);
      loops()?.certified(group, certificate);
      courts()?.check();
      freshness.wake();
    },
    onOffence(view, offence) {
      events.offence(view.group, offence.kind, view.roster[offence.culprit] as Address);
      reporter.offence(view, offence);
    },
    onMilestone: (group, milestone) => events.milestone(group, milestone as Parameters<NodeEvents['milestone']>[1]),
    onState(group, state, detail) {
      events.groupState(group, state, detail);
      loops()?.follow(group);
      finishers()?.follow(group);
    },
  };
}

/** Rising over restarts: milliseconds of the start, then a counter. */
function answerNumbers(startMs: number): () => bigint {
  let next = BigInt(startMs) << 20n;
  return () => next++;
}
