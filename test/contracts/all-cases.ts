import type { Evidence } from '../../protocol/evidence/index.ts';
import { ZERO_HASH, type Address, type EntryId } from '../../protocol/types/index.ts';
import {
  ackFork, ackThenConsume, doubleBlockVote, doubleProposal, falseAnswer, falseCheckpoint, falseHistory, fastAck, forgedRow, forkedCertificates, lockRegress,
  otherRank, rankUnderreport, viewChange, voteConflict, type Place,
} from './cases.ts';

export const beneficiary = `0x${'be'.repeat(20)}` as Address;
export const querier = `0x${'0a'.repeat(20)}` as Address;

/** One accepted case of every offence and form, of changing culprits; answers are issued at `at`. */
export function guiltyCases(place: Place, at: bigint): readonly Evidence[] {
  return [
    voteConflict(place, 0, beneficiary),
    voteConflict(place, 1, beneficiary, { size: 64, index: 63, items: 3 }, { size: 5, index: 2 }),
    doubleBlockVote(place, 1, beneficiary),
    doubleProposal(place, 2, beneficiary),
    lockRegress(place, 0, beneficiary),
    rankUnderreport(place, 1, beneficiary),
    ackFork(place, 2, beneficiary, { kind: 'ack', ...fastAck(place, 2, { head: 'another head' }) }),
    ackFork(place, 3, beneficiary, { kind: 'change', ...viewChange(place, 3, { head: 'another head' }) }),
    ackFork(place, 3, beneficiary, { kind: 'change', ...viewChange(place, 3, { ackSeq: 5n }) }),
    ackThenConsume(place, 0, beneficiary),
    falseCheckpoint(place, 3, beneficiary),
    forkedCertificates(place, beneficiary),
    ...(['present', 'absent', 'empty', 'certificate', 'stale'] as const).map((form, i) => falseAnswer(place, i % 4, form, querier, at)),
    otherRank(place, 1, querier, at),
    otherRank(place, 2, querier, at, { shown: 7 }),
    forgedRow(place, 0, querier, at),
    forgedRow(place, 1, querier, at, { batch: 5, index: 4 }),
    ...(['list', 'answer', 'certificate'] as const).map((kind, i) => falseHistory(place, i, querier, at, kind)),
  ];
}

/** What honest replicas may sign, brought as if it were an offence of each kind: no judge convicts for any of it. */
export function innocentCases(place: Place, at: bigint): readonly Evidence[] {
  return [
    lockRegress(place, 0, beneficiary, [3, 5], 2), // the same lock
    lockRegress(place, 0, beneficiary, [5, 3], 1), // the higher lock came later
    lockRegress(place, 0, beneficiary, [3, 3], 1),
    rankUnderreport(place, 1, beneficiary, { qcRound: 2 }),
    rankUnderreport(place, 1, beneficiary, { newView: 2n }), // the vote is not of an earlier view
    ackFork(place, 2, beneficiary, { kind: 'ack', ...fastAck(place, 2, { batch: 'another' }) }), // one head, whatever was acknowledged
    ackFork(place, 2, beneficiary, { kind: 'ack', ...fastAck(place, 2, { ackSeq: 7n, head: 'next' }) }),
    ackFork(place, 2, beneficiary, { kind: 'change', ...viewChange(place, 2) }),
    ackFork(place, 2, beneficiary, { kind: 'change', ...viewChange(place, 2, { ackSeq: 7n, head: 'next' }) }),
    ackFork(place, 2, beneficiary, { kind: 'change', ...viewChange(place, 2, { newView: 2n, ackSeq: 5n }) }), // asked before it acknowledged
    ackThenConsume(place, 3, beneficiary, { consumer: 'own' }),
    ackThenConsume(place, 3, beneficiary, { version: ZERO_HASH as EntryId }), // decision 0016
    forkedCertificates(place, beneficiary, ['true', 'true']),
    ...(['list', 'answer', 'certificate'] as const).map((kind) => falseHistory(place, 1, querier, at, kind, { honest: true })),
    falseAnswer(place, 1, 'stale', querier, at, { honest: true }),
    ...(['present', 'absent', 'empty', 'certificate'] as const).map((form) => falseAnswer(place, 1, form, querier, at, { honest: true })),
    otherRank(place, 1, querier, at, { at: 8, rank: 8 }),
    forgedRow(place, 1, querier, at, { honest: true }),
    forgedRow(place, 1, querier, at, { honest: true, batch: 5, index: 4 }),
    voteConflict(place, 1, beneficiary, { mode: 'R', tsMs: 4 }, { mode: 'W', tsMs: 5 }),
    doubleBlockVote(place, 0, beneficiary, ['x', 'x']),
    doubleProposal(place, 0, beneficiary, ['x', 'x']),
    falseCheckpoint(place, 0, beneficiary, ['t', 't']),
  ];
}
