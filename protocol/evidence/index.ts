/**
 * Evidence: pairs of signed statements that cannot both be honest, in the form that the slashers judge
 * (Picolo §6.2, consensus §3; docs/contracts/evidence.md). One case of `Evidence` per offence; `encodeEvidence` makes
 * the contract call, `judge` says beforehand what the contract will decide, by the same predicate.
 *
 * @example
 *   const evidence = { kind: 'FalseAnswer', roster, culprit: 2, answer: { value, signature }, against: { kind: 'ownRoot', proof } };
 *   if (judge(evidence, context).kind === 'guilty') await chain.submitEvidence(encodeEvidence(evidence));
 */
export { commitmentOf, decodeCall, encodeEvidence, type EncodedEvidence } from './encode.ts';
export { packCell, packQuestion } from './court.ts';
export { drainBounds, drainDue, drainRate, drainReferences, type DrainInputs } from './drain.ts';
export { judge, judgeFlat, type Verdict } from './judge.ts';
export type { EpochRecord, JudgeContext, RefusalName, SignerRecord } from './case.ts';
export {
  isLesser, offenceNumber, slasherOf, type Charge, type Evidence, type EvidenceOf, type OffenceName, type OpenedAck, type OpenedEffect, type OpenedRoot,
  type OpenedVote, type OtherAck, type OtherHistory, type Refutation, type ReportedCharge, type Signed, type SlasherName,
} from './types.ts';
export type { Flat } from './flat.ts';
export { evidenceFaults } from './faults.ts';
