import type { Evidence } from '../../protocol/evidence/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import {
  ackFork, ackThenConsume, doubleBlockVote, doubleProposal, falseAnswer, falseCheckpoint, falseHistory, fastAck, forgedRow, forkedCertificates, lockRegress,
  rankUnderreport, viewChange, voteConflict, type Place,
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
    forgedRow(place, 0, querier, at),
    forgedRow(place, 1, querier, at, { batch: 5, index: 4 }),
    ...(['list', 'answer', 'certificate'] as const).map((kind, i) => falseHistory(place, i, querier, at, kind)),
  ];
}
