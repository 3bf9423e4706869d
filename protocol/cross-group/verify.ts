import type { Domain } from '../codec/index.ts';
import { groupConfig, verifyReceipt, type Outcome, type Receipt, type Verifier } from '../consensus/index.ts';
import { ZERO_HASH, type Address, type Command, type Epoch, type GroupId, type TxId } from '../types/index.ts';
import { partOf, payloadOf } from './commands.ts';
import { coordinatorOf, intentPathOf, isIntentPath, isPlan, participantOf, planIdOf, prepareIdOf, type Participant, type Plan } from './plan.ts';
import { ALL_RULES, type CrossGroupRules } from './rules.ts';
import { commitOf, decisionIdOf, type Decide, type Decided, type Decision, type Prepare, type Prepared, type Resolve } from './stages.ts';

/** What the registry contract says about groups. */
export interface Groups {
  /** Signer addresses of a past or present epoch, ascending; undefined when there is none. */
  roster(group: GroupId, epoch: Epoch): readonly Address[] | undefined;
  currentEpoch(group: GroupId): Epoch | undefined;
}

export interface ProofParts {
  readonly domain: Domain;
  readonly groups: Groups;
  /** Signatures, and ordinary commands. */
  readonly base: Verifier;
  readonly rules?: CrossGroupRules;
}

/** The group that looks. */
export interface Place {
  readonly group: GroupId;
  readonly epoch: Epoch;
}

/**
 * The verifier of a group that takes part in cross-group transactions: what voters check before they vote (X-PREPARE, X-DECIDE,
 * X-RESOLVE). Nothing here needs the group's state.
 */
export function crossGroupVerifier(parts: ProofParts, place: Place): Verifier {
  const { base } = parts;
  return {
    signature: (name, value, signature, signer) => base.signature(name, value, signature, signer),
    command(command) {
      const payload = payloadOf(command);
      switch (payload?.kind) {
        case undefined: return !command.items.some(({ path }) => isIntentPath(path)) && base.command(command); // X-PART
        case 'prepare': return preparesRightly(parts, place, payload, command);
        case 'decide': return decidesRightly(parts, place, payload);
        case 'resolve': return resolvesRightly(parts, place, payload, command);
      }
    },
  };
}

/** X-EPOCH, for `Application.timely`: members who left may still have their keys, so new decisions want proofs by those who serve now. */
export function provesThePresent({ groups, rules = ALL_RULES }: ProofParts, command: Command): boolean {
  const payload = payloadOf(command);
  if (payload?.kind !== 'decide' || payload.decision.verdict !== 'commit' || !rules.presentEpoch) return true;
  return payload.plan.participants.every(({ group, epoch }) => groups.currentEpoch(group) === epoch);
}

function preparesRightly({ base }: ProofParts, { group, epoch }: Place, { plan, database }: Prepare, command: Command): boolean {
  const part = partOf(command);
  const own = participantOf(plan, database);
  if (part === undefined || !isPlan(plan) || own?.group !== group || own.epoch !== epoch) return false;
  return part.client === plan.writer && part.notAfter <= plan.decideBy && isPartOf(plan, own, part) && base.command(part);
}

/** X-PART: of all marks the part names its own alone, as absent. */
function isPartOf(plan: Plan, { database }: Participant, part: Command): boolean {
  const marks = part.items.filter(({ path }) => isIntentPath(path));
  const [mark] = marks;
  return marks.length === 1 && mark?.path === intentPathOf(planIdOf(plan), database) && mark.version === ZERO_HASH && mark.mode === 'W';
}

function decidesRightly(parts: ProofParts, { group }: Place, { plan, decision, proofs }: Decide): boolean {
  if (!isPlan(plan) || coordinatorOf(plan).group !== group) return false;
  if (parts.rules?.proofs === false) return true;
  if (decision.verdict === 'commit') {
    return sameDecision(decision, commitOf(proofs)) && proofs.length === plan.participants.length
      && proofs.every((proof, i) => proof.database === plan.participants[i]?.database && preparedAs(parts, plan, proof) === 'applied');
  }
  if (decision.ts !== 0n || decision.prepared.length > 0) return false;
  if (decision.verdict === 'timeout') return proofs.length === 0;
  const [proof] = proofs;
  return proofs.length === 1 && proof !== undefined && preparedAs(parts, plan, proof) === 'aborted';
}

function sameDecision(a: Decision, b: Decision): boolean {
  return a.verdict === b.verdict && a.ts === b.ts && a.prepared.length === b.prepared.length && a.prepared.every((id, i) => id === b.prepared[i]);
}

/** What the group of a participant did with its part, by the members of the epoch that the plan names; undefined: not proven. */
export function preparedAs(parts: ProofParts, plan: Plan, { database, part, receipt }: Prepared): Outcome | undefined {
  const place = participantOf(plan, database);
  return place === undefined ? undefined : outcomeOf(parts, place, receipt, prepareIdOf(planIdOf(plan), database, part));
}

/**
 * Whether the coordinator group decided so. A commit comes from the epoch of the plan, which does not end before its own intents
 * are resolved; an abort may come from a later one.
 */
export function isDecided(parts: ProofParts, plan: Plan, decided: Decided): boolean {
  const { group, epoch } = coordinatorOf(plan);
  const told = decided.receipt.kind === 'classic' ? decided.receipt.headers[0]?.epoch : undefined;
  if (told === undefined || (decided.verdict === 'commit' ? told !== epoch : told < epoch)) return false;
  return outcomeOf(parts, { group, epoch: told }, decided.receipt, decisionIdOf(planIdOf(plan), decided)) === 'applied';
}

function resolvesRightly(parts: ProofParts, { group }: Place, payload: Resolve, command: Command): boolean {
  const { plan, database, prepared, decided } = payload;
  const part = partOf(command);
  const at = plan.participants.findIndex((each) => each.database === database);
  const own = plan.participants[at];
  if (part === undefined || !isPlan(plan) || own?.group !== group || !isPartOf(plan, own, part)) return false;
  if (preparedAs(parts, plan, { database, part: part.id, receipt: prepared }) !== 'applied') return false;
  if (decided.verdict === 'commit' && decided.prepared[at] !== prepared.entry) return false;
  return parts.rules?.decisionProof === false || isDecided(parts, plan, decided);
}

/** Stages are ordered by leaders only, so their proofs are those of blocks. */
function outcomeOf({ domain, groups, base }: ProofParts, { group, epoch }: Place, receipt: Receipt, command: TxId): Outcome | undefined {
  const roster = groups.roster(group, epoch);
  if (roster === undefined || receipt.kind !== 'classic' || receipt.command !== command) return undefined;
  return verifyReceipt(groupConfig({ domain, group, epoch, roster }), receipt, base);
}
