/**
 * Transactions over databases of several groups (Picolo §5.3.1, consensus §2.15): every group prepares its part, the coordinator
 * group decides once, every group resolves. Each step leaves a proof that anybody can carry to the next one, so nobody has to
 * stay alive for the transaction to end.
 *
 * @example
 *   const plan = checkPlan({ writer, salt, participants, decideBy });
 *   const prepare = commandOf({ kind: 'prepare', plan, database, part }, readPart);   // to each group
 *   const decide = commandOf({ kind: 'decide', plan, decision: commitOf(proofs), proofs }, readPart);   // to `coordinatorOf(plan)`
 */
export {
  checkPlan, coordinatorOf, decisionPathOf, intentPathOf, isIntentPath, isPlan, participantOf, planC, planIdOf, prepareIdOf, resolutionPathOf,
  type Participant, type Plan,
} from './plan.ts';
export {
  abortFor, commitOf, decidedC, decisionIdOf, decodePayload, encodePayload,
  type Decide, type Decided, type Decision, type Payload, type Prepare, type Prepared, type PartReader, type Resolve, type Verdict,
} from './stages.ts';
export { commandOf, partOf, payloadOf, stageReader } from './commands.ts';
export {
  decisionEntryOf, decisionExpiryOf, decisionLeafOf, DECISION_TABLE, MARK_TABLE, markLeafOf, readDecisionLeaf, readMarkLeaf, type DecisionLeaf,
} from './leaf.ts';
export { crossGroupVerifier, isDecided, preparedAs, provesThePresent, type Groups, type Place, type ProofParts } from './verify.ts';
export {
  decodeCrossGroupMessage, encodeCrossGroupMessage, Finisher, type Action, type CrossGroupMessage, type FinisherParts,
} from './finisher.ts';
export { doubleDecision, type DoubleDecision } from './double.ts';
export { crossGroupFaults } from './faults.ts';
