import { limits } from '../limits/index.ts';
import { unreachable } from '../errors/index.ts';
import { verifyRank, type Leaf } from '../state-tree/index.ts';
import type { Address } from '../types/index.ts';
import { challengeFor, requestFor, type ChallengeSeed } from './challenge.ts';
import { examine, examineRow, type Expectation, type FalseAnswer, type RowReply, type Verdict } from './examine.ts';
import { poqFaults } from './faults.ts';
import { schedule } from './schedule.ts';
import type { Asked, PoqConfig, PoqEffect, PoqInput, PoqState, PoqStep, Question, TargetState } from './loop-types.ts';

type InputOf<K extends PoqInput['kind']> = Extract<PoqInput, { kind: K }>;
type NoAnswer = Extract<Verdict, { kind: 'unavailable' | 'malformed' }>;
interface TargetStep { readonly target: TargetState; readonly effects: readonly PoqEffect[] }

const UNSCHEDULED = -1n;
const IDLE: TargetState = { slot: UNSCHEDULED, asked: null, escalation: null, failures: 0, failingSinceMs: 0 };

/** The pPoQ loop of one replica in one group and epoch (Picolo §6.1). Throws POQ_STRANGER. */
export function createPoq(config: PoqConfig): PoqState {
  const { self, roster } = config;
  if (!roster.replicas.includes(self)) throw poqFaults.stranger({ self, group: roster.group });
  const peers = roster.replicas.filter((replica) => replica !== self);
  return { config, beacon: null, certified: null, targets: new Map(peers.map((peer) => [peer, IDLE])) };
}

/**
 * One input, its effects. Every peer is asked once per interval and at most one question is open per peer,
 * so the loop's memory and traffic are bounded by the roster. Unknown and late replies change nothing.
 */
export function step(state: PoqState, input: PoqInput): PoqStep {
  switch (input.kind) {
    case 'tick': return onTick(state, input.nowMs);
    case 'beacon': return { state: withBeacon(state, input), effects: [] };
    case 'checkpoint': return { state: withCheckpoint(state, input), effects: [] };
    case 'answer': return onTarget(state, input, (asked, target) => onAnswer(asked, target, input));
    case 'refused':
    case 'timeout':
      return onTarget(state, input, (asked, target) => failed(asked, target, input.nowMs, { kind: 'unavailable', reason: input.kind }));
    case 'row': return onRow(state, input);
    default: return unreachable(input, 'poq-input');
  }
}

function withBeacon(state: PoqState, { blockNumber, blockHash }: InputOf<'beacon'>): PoqState {
  return state.beacon !== null && blockNumber <= state.beacon.blockNumber ? state : { ...state, beacon: { blockNumber, blockHash } };
}

function withCheckpoint(state: PoqState, { certified }: InputOf<'checkpoint'>): PoqState {
  const { group, epoch, height } = certified.checkpoint;
  const { roster } = state.config;
  if (group !== roster.group || epoch !== roster.epoch) return state;
  return state.certified !== null && height <= state.certified.checkpoint.height ? state : { ...state, certified };
}

function onTick(state: PoqState, nowMs: number): PoqStep {
  const effects: PoqEffect[] = [];
  const targets = new Map(state.targets);
  for (const [address, before] of state.targets) {
    const waited = expire(address, before, nowMs);
    const asked = ask(state, address, waited.target, nowMs);
    effects.push(...waited.effects, ...asked.effects);
    targets.set(address, asked.target);
  }
  return { state: { ...state, targets }, effects };
}

/** Deadlines also pass when the host never sends a 'timeout'. */
function expire(address: Address, target: TargetState, nowMs: number): TargetStep {
  const { asked, escalation } = target;
  if (escalation !== null && nowMs >= escalation.deadlineMs) return reported(address, target, null);
  if (asked === null || nowMs < asked.deadlineMs) return { target, effects: [] };
  return failed(asked, target, nowMs, { kind: 'unavailable', reason: 'timeout' });
}

function ask(state: PoqState, address: Address, target: TargetState, nowMs: number): TargetStep {
  const { config, beacon, certified } = state;
  const { index } = schedule(config.self, address, nowMs, config.intervalMs);
  if (target.slot === UNSCHEDULED) return { target: { ...target, slot: index }, effects: [] };
  const busy = index <= target.slot || target.asked !== null || target.escalation !== null;
  if (busy || beacon === null || certified === null || certified.detail.rowCount === 0n) return { target, effects: [] };
  const { group, epoch, height } = certified.checkpoint;
  const { rowCount } = certified.detail;
  const seed: ChallengeSeed = { beacon: beacon.blockHash, challenger: config.self, target: address, group, epoch, height, rowCount, index };
  const expected = {
    domain: config.domain, roster: config.roster, target: address, querier: config.self, certified,
    rank: challengeFor(seed), request: requestFor(seed),
  };
  const asked: Asked = { expected, index, attempt: 1, deadlineMs: nowMs + limits.poqAnswerMs };
  return { target: { ...target, slot: index, asked }, effects: [{ kind: 'ask', ...questionOf(asked) }] };
}

function questionOf({ expected, index, attempt, deadlineMs }: Asked): Question {
  const { target, rank, request, certified } = expected;
  return { target, rank, request, minHeight: certified.checkpoint.height, index, attempt, deadlineMs };
}

/** Applies a change to the target whose open question the input is about. */
function onTarget(
  state: PoqState, { target: address, request }: InputOf<'answer' | 'refused' | 'timeout'>,
  change: (asked: Asked, target: TargetState) => TargetStep,
): PoqStep {
  const target = state.targets.get(address);
  if (target === undefined || target.asked === null || target.asked.expected.request !== request) return { state, effects: [] };
  const after = change(target.asked, target);
  return { state: { ...state, targets: new Map(state.targets).set(address, after.target) }, effects: after.effects };
}

function onAnswer(asked: Asked, target: TargetState, { nowMs, reply, local }: InputOf<'answer'>): TargetStep {
  const expected: Expectation = { ...asked.expected, local };
  const verdict = examine(reply, expected);
  switch (verdict.kind) {
    case 'agrees':
      return { target: { ...target, asked: null, failures: 0, failingSinceMs: 0 }, effects: [mark(asked, nowMs, verdict)] };
    case 'falseAnswer':
      return escalate(asked, target, nowMs, expected, verdict);
    case 'malformed':
    case 'unavailable':
      return failed(asked, target, nowMs, verdict);
    default:
      return unreachable(verdict, 'poq-verdict');
  }
}

/** A false answer needs no second chance; the row comes on top, so that the report can also show who wrote what. */
function escalate(asked: Asked, target: TargetState, nowMs: number, expected: Expectation, verdict: FalseAnswer): TargetStep {
  const { request } = asked.expected;
  const deadlineMs = nowMs + limits.poqAnswerMs;
  return {
    target: { ...target, asked: null, escalation: { expected, verdict, leaf: leafOf(expected, verdict), deadlineMs } },
    effects: [mark(asked, nowMs, verdict), { kind: 'fetchRow', target: expected.target, path: verdict.answer.path, request, deadlineMs }],
  };
}

/** What the tree has at the rank; unknown when the lie is about the root itself. */
function leafOf({ rank }: Expectation, { answer, against }: FalseAnswer): Leaf | null {
  return against.kind === 'ownRoot' ? verifyRank(answer.stateRoot, rank, against.proof).leaf : null;
}

function onRow(state: PoqState, { target: address, request, reply }: InputOf<'row'>): PoqStep {
  const target = state.targets.get(address);
  if (target?.escalation?.expected.request !== request) return { state, effects: [] };
  const after = reported(address, target, reply);
  return { state: { ...state, targets: new Map(state.targets).set(address, after.target) }, effects: after.effects };
}

function reported(address: Address, target: TargetState, row: RowReply | null): TargetStep {
  const { escalation } = target;
  if (escalation === null) return { target, effects: [] };
  const { expected, verdict, leaf } = escalation;
  const rowVerdict = row === null ? null : examineRow(row, leaf ?? verdict.answer, expected);
  return { target: { ...target, escalation: null }, effects: [{ kind: 'report', target: address, falseAnswer: verdict, row, rowVerdict }] };
}

/** No usable answer: asked again a few times, then counted. One lost message must not look like silence. */
function failed(asked: Asked, target: TargetState, nowMs: number, verdict: NoAnswer): TargetStep {
  const { target: address } = asked.expected;
  if (verdict.reason === 'shrunk') return { target: { ...target, asked: null }, effects: [] };
  if (asked.attempt < limits.poqAttempts) {
    const again: Asked = { ...asked, attempt: asked.attempt + 1, deadlineMs: nowMs + limits.poqAnswerMs };
    return { target: { ...target, asked: again }, effects: [{ kind: 'repeat', ...questionOf(again) }] };
  }
  const failures = target.failures + 1;
  const failingSinceMs = target.failures === 0 ? nowMs : target.failingSinceMs;
  const effects: PoqEffect[] = [mark(asked, nowMs, verdict), { kind: 'silent', target: address, failures, sinceMs: failingSinceMs }];
  if (failures === 1) effects.push({ kind: 'statistics', target: address });
  return { target: { ...target, asked: null, failures, failingSinceMs }, effects };
}

function mark(asked: Asked, nowMs: number, verdict: Verdict): PoqEffect {
  const reason = verdict.kind === 'malformed' || verdict.kind === 'unavailable' ? verdict.reason : null;
  return { kind: 'mark', target: asked.expected.target, index: asked.index, nowMs, outcome: verdict.kind, reason };
}
