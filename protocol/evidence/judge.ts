import type { Address, GroupId } from '../types/index.ts';
import { tryAnswer, tryHistory, tryRow } from './answers.ts';
import { Refusal, refuseIf, type Case, type EpochRecord, type JudgeContext, type RefusalName, type SignerRecord } from './case.ts';
import { tryCertificates, tryCheckpoint } from './certificates.ts';
import { tryAckFork, tryAckThenConsume, tryBlockVotes, tryLock, tryProposals, tryRank, tryVotes } from './contradictions.ts';
import type { Flat, FlatOf } from './flat.ts';
import { flatten } from './flatten.ts';
import { isLesser, type Evidence, type OffenceName } from './types.ts';

export type Verdict =
  | {
      readonly kind: 'guilty'; readonly offence: OffenceName; readonly accused: Address; readonly node: Address; readonly reward: Address;
      /** Every node that is punished; one, except for two certificates of one height. */
      readonly nodes: readonly Address[];
    }
  | { readonly kind: 'refused'; readonly error: RefusalName };

/**
 * What a slasher will decide, by the same predicate in the same order. Pure: everything the chain knows is in
 * `context`; commitments to evidence are not, they only move a bounty. Nor is `takeRest`, which reads the same evidence again.
 * @throws EVIDENCE_INCONSISTENT when the statements cannot even be put together
 */
export function judge(evidence: Evidence, context: JudgeContext): Verdict {
  return judgeFlat(flatten(evidence), context);
}

/** The same on what a call says (`decodeCall`). */
export function judgeFlat(flat: Flat, context: JudgeContext): Verdict {
  try {
    const { roster, index } = flat.members;
    const accused = roster[index];
    if (accused === undefined) throw new Refusal('UnknownRoster');
    const open = openCase(flat, context, accused);
    const issuedAt = tryFlat(flat, open);
    const nodes = flat.kind === 'ForkedCertificates' ? signersOfBoth(flat, open) : [punishOne(flat, open, issuedAt)];
    return { kind: 'guilty', offence: flat.kind, accused, node: nodes[0] as Address, nodes, reward: rewardOf(flat) };
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', error: error.error };
    throw error;
  }
}

function openCase({ group, epoch, members: { roster } }: Flat, context: JudgeContext, accused: Address): Case {
  const record = context.epochOf(group as GroupId, epoch);
  if (record === undefined || !sameRoster(record, roster)) throw new Refusal('UnknownRoster');
  refuseIf(record.endedAt !== undefined && context.now > record.endedAt + context.evidenceWindow, 'EvidenceExpired');
  return { context, group: group as GroupId, epoch, roster, accused };
}

const sameRoster = (record: EpochRecord, roster: readonly Address[]): boolean => record.roster.join() === roster.join();

/** Refuses what is no offence; returns when a lesser one was issued. */
function tryFlat(flat: Flat, open: Case): bigint {
  switch (flat.kind) {
    case 'VoteConflict': return tryVotes(flat, open);
    case 'DoubleBlockVote': return tryBlockVotes(flat, open);
    case 'DoubleProposal': return tryProposals(flat, open);
    case 'LockRegress': return tryLock(flat, open);
    case 'RankUnderreport': return tryRank(flat, open);
    case 'AckFork': return tryAckFork(flat, open);
    case 'AckThenConsume': return tryAckThenConsume(flat, open);
    case 'FalseCheckpoint': return tryCheckpoint(flat, open);
    case 'ForkedCertificates': return tryCertificates(flat, open);
    case 'FalseAnswer': return tryAnswer(flat, open);
    case 'ForgedRow': return tryRow(flat, open);
    case 'FalseHistory': return tryHistory(flat, open);
  }
}

function punishOne(flat: Flat, { context, accused }: Case, issuedAt: bigint): Address {
  const record = context.signerOf(accused);
  if (record === undefined || record.status !== 'active') throw new Refusal('AlreadyPunished');
  if (!isLesser(flat.kind)) return record.node;
  refuseIf(issuedAt > context.now, 'FutureAnswer');
  refuseIf(record.lastFaultAt !== 0n && issuedAt <= record.lastFaultAt + context.absolution, 'Absolved');
  return record.node;
}

/** Two certificates of one height convict all who signed both and were not convicted yet. */
function signersOfBoth({ first, second }: FlatOf<'ForkedCertificates'>, { context, roster }: Case): Address[] {
  const both = first.signatures.filter(({ index }) => second.signatures.some((other) => other.index === index));
  const records = both.map(({ index }) => context.signerOf(roster[index] as Address));
  const nodes = records.filter((record): record is SignerRecord => record?.status === 'active').map(({ node }) => node);
  refuseIf(nodes.length === 0, 'AlreadyPunished');
  return nodes;
}

function rewardOf(flat: Flat): Address {
  if (flat.kind === 'FalseAnswer') return flat.answer.common.querier as Address;
  if (flat.kind === 'ForgedRow') return flat.querier as Address;
  if (flat.kind === 'FalseHistory') return flat.history.common.list.querier as Address;
  return flat.beneficiary as Address;
}
