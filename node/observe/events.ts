import type { PicoloError } from '../../protocol/errors/index.ts';
import type { Address, GroupId, Hex } from '../../protocol/types/index.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** What happened in a replica, as the core reports it (`Milestone` of protocol/consensus). */
export interface GroupMilestone {
  readonly event: string;
  readonly [fact: string]: unknown;
}

/** One function per event of a node: it writes the log line and moves the numbers, so the two cannot disagree. */
export interface NodeEvents {
  started(facts: Readonly<Record<string, unknown>>): void;
  stopping(reason: string): void;
  /** A broken invariant or a failed disk: the node stops before it signs. */
  broken(error: unknown): void;
  milestone(group: GroupId, milestone: GroupMilestone): void;
  groupState(group: GroupId, state: string, detail: string): void;
  committed(group: GroupId, height: bigint, counts: { readonly fast: number; readonly classic: number; readonly aborted: number }): void;
  certified(group: GroupId, height: bigint): void;
  offence(group: GroupId, kind: string, culprit: Address): void;
  networkFault(fault: PicoloError, peer: Address | undefined): void;
  chainFault(fault: PicoloError): void;
  evidenceSent(offence: string, hash: Hex, gasUsed: bigint): void;
  evidenceFailed(offence: string, fault: PicoloError): void;
  apiAnswered(route: string, status: number, durationMs: number): void;
  poqAsked(kind: 'peer' | 'client', target: Address, outcome: string, durationMs: number): void;
  audited(target: Address, outcome: string): void;
}

export function createNodeEvents(log: Logger, metrics: Metrics): NodeEvents {
  return { ...lifeEvents(log), ...groupEvents(log, metrics), ...edgeEvents(log, metrics) };
}

function lifeEvents(log: Logger): Pick<NodeEvents, 'started' | 'stopping' | 'broken'> {
  return {
    started: (facts) => log.info(facts, 'node started'),
    stopping: (reason) => log.info({ reason }, 'node stopping'),
    broken: (err) => log.fatal({ err }, 'node stopped: it must not sign any more'),
  };
}

type GroupKeys = 'milestone' | 'groupState' | 'committed' | 'certified' | 'offence';

function groupEvents(log: Logger, { consensus }: Metrics): Pick<NodeEvents, GroupKeys> {
  return {
    milestone(group, milestone) {
      const { event, ...facts } = milestone;
      if (event === 'rejected') consensus.rejected(group, String(facts['reason']));
      if (event === 'viewChangeStarted') consensus.viewChange(group, String(facts['cause']));
      const level = event === 'quarantined' ? 'warn' : event === 'acked' || event === 'fastFailed' ? 'debug' : 'info';
      log[level]({ group, ...facts }, `consensus ${event}`);
    },
    groupState: (group, state, detail) => log[state === 'halted' ? 'error' : 'info']({ group, state, detail }, 'group state'),
    committed(group, height, counts) {
      consensus.committed(group, counts);
      log.debug({ group, height, ...counts }, 'block committed');
    },
    certified: (group, height) => log.debug({ group, height }, 'checkpoint certified'),
    offence(group, kind, culprit) {
      consensus.offence(kind);
      log.warn({ group, kind, culprit }, 'offence seen');
    },
  };
}

type EdgeKeys = 'networkFault' | 'chainFault' | 'evidenceSent' | 'evidenceFailed' | 'apiAnswered' | 'poqAsked' | 'audited';

function edgeEvents(log: Logger, { chain, api, poq }: Metrics): Pick<NodeEvents, EdgeKeys> {
  return {
    networkFault: (err, peer) => log.debug({ err, peer }, 'link refused or lost'),
    chainFault(err) {
      chain.fault(err.code);
      log.warn({ err }, 'chain poll failed');
    },
    evidenceSent(offence, hash, gasUsed) {
      chain.evidence(kindOf(offence), 'slashed');
      log.warn({ offence, hash, gasUsed }, 'evidence accepted by the chain');
    },
    evidenceFailed(offence, err) {
      chain.evidence(kindOf(offence), err.code);
      log.warn({ offence, err }, 'evidence not accepted');
    },
    apiAnswered: (route, status, durationMs) => api.answered(route, status, durationMs),
    poqAsked(kind, target, outcome, durationMs) {
      poq.asked(kind, outcome, durationMs);
      log[outcome === 'true' ? 'debug' : 'warn']({ kind, target, outcome, durationMs }, 'proof of query');
    },
    audited: (target, outcome) => log[outcome === 'agrees' ? 'debug' : 'warn']({ target, outcome }, 'audit of roots'),
  };
}

/** Offence ids are `<kind>/<…>`; only the kind is a label, ids would grow without limit. */
function kindOf(offence: string): string {
  return offence.split(/[/:]/, 1)[0] ?? offence;
}
