import { encode, decode, record, union, type Codec } from '../codec/index.ts';
import { proofFrom, type CertifiedBlock, type Receipt } from '../consensus/index.ts';
import { msOf } from '../hlc/index.ts';
import { limits } from '../limits/index.ts';
import type { Command, DatabaseId, GroupId, Hash32 } from '../types/index.ts';
import { commandOf, partOf, payloadOf } from './commands.ts';
import { coordinatorOf, lastDecisionOf, participantOf, planC, planIdOf, type Plan } from './plan.ts';
import { ALL_RULES, type CrossGroupRules } from './rules.ts';
import { abortFor, commitOf, decidedC, preparedC, type Decided, type Decision, type PartReader, type Prepare, type Prepared } from './stages.ts';
import { isDecided, preparedAs, type Place, type ProofParts } from './verify.ts';

/** What members of one group tell those of another. Unsigned: what it carries is proof by itself. */
export type CrossGroupMessage =
  /** To the coordinator group, until it answers. */
  | { readonly kind: 'prepared'; readonly plan: Plan; readonly proof: Prepared }
  /** To every other group of the plan, once, and to whoever still asks. */
  | { readonly kind: 'decided'; readonly plan: Plan; readonly decided: Decided };

export type Action =
  /** A command for the own group. */
  | { readonly kind: 'submit'; readonly command: Command }
  | { readonly kind: 'tell'; readonly group: GroupId; readonly message: CrossGroupMessage }
  /** A decision to commit of the own group, to be kept for `recall`: somebody may ask for it after a long time. */
  | { readonly kind: 'keep'; readonly plan: Hash32; readonly decided: Decided };

export interface FinisherParts {
  readonly place: Place;
  readonly proofs: ProofParts;
  readonly readPart: PartReader;
  /** How long after `decideBy` on the own clock an abort is tried: the clocks of the group may be behind. Milliseconds. */
  readonly graceMs: number;
  /** What was kept of an own decision. */
  recall?(plan: Hash32): Decided | undefined;
}

interface Own {
  readonly part: Uint8Array;
  /** Its intents are there and not resolved. */
  open: boolean;
}

interface Work {
  readonly plan: Plan;
  readonly coordinator: GroupId;
  readonly proofs: Map<DatabaseId, Prepared>;
  readonly own: Map<DatabaseId, Own>;
  decided: Decided | undefined;
  /** Groups that have not been told the decision since they asked. */
  readonly untold: Set<GroupId>;
}

const messageC = union({
  prepared: record({ plan: planC, proof: preparedC }),
  decided: record({ plan: planC, decided: decidedC }),
}) as unknown as Codec<CrossGroupMessage>;

export const encodeCrossGroupMessage = (message: CrossGroupMessage): Uint8Array => encode(messageC, message);
/** Throws CODEC_*. */
export const decodeCrossGroupMessage = (data: Uint8Array): CrossGroupMessage => decode(messageC, data, limits.frameBytes);

/**
 * Brings every transaction that left a trace in the own group to its end (X-FINISH), whoever began it. One runs beside each
 * replica and follows its committed chain; all of them do the same, so f of them may do nothing. It has no state of its own: fed
 * with the blocks since the oldest open intent, a new one goes on where the old one stopped.
 */
export class Finisher {
  private readonly parts: FinisherParts;
  private readonly rules: CrossGroupRules;
  private readonly works = new Map<Hash32, Work>();
  /** Blocks with stages whose commit is not yet proven, each with those after it. */
  private unproven: CertifiedBlock[][] = [];
  private unkept: Action[] = [];

  constructor(parts: FinisherParts) {
    this.parts = parts;
    this.rules = parts.proofs.rules ?? ALL_RULES;
  }

  /** True while blocks without any stage matter too: they prove the commit of those before. */
  get waits(): boolean {
    return this.unproven.length > 0;
  }

  /** What the coordinator group decided, once it is known here. */
  decisionOf(plan: Hash32): Decided | undefined {
    return this.works.get(plan)?.decided;
  }

  /** What the own group did with a part, as long as this finisher follows its plan. */
  proofOf({ plan, database, part }: Prepare): Receipt | undefined {
    const proof = this.works.get(planIdOf(plan))?.proofs.get(database);
    return proof !== undefined && proof.part === this.parts.readPart(part).id ? proof.receipt : undefined;
  }

  /** The next committed block of the own group. */
  onBlock(block: CertifiedBlock): void {
    for (const blocks of this.unproven) blocks.push(block);
    if (block.block.entries.some(({ command }) => command.stage !== undefined)) this.unproven.push([block]);
    this.unproven = this.unproven.filter((blocks) => !this.note(blocks));
  }

  onMessage(message: CrossGroupMessage): void {
    const { proofs, place } = this.parts;
    const { plan } = message;
    if (message.kind === 'decided') {
      const work = this.works.get(planIdOf(plan));
      if (work !== undefined && work.decided === undefined && isDecided(proofs, plan, message.decided)) work.decided = message.decided;
      return;
    }
    const from = participantOf(plan, message.proof.database);
    if (from === undefined || coordinatorOf(plan).group !== place.group) return;
    const proven = preparedAs(proofs, plan, message.proof);
    if (proven === undefined && this.rules.proofs) return;
    const work = this.workFor(plan);
    if (work === undefined) return;
    work.decided ??= this.parts.recall?.(planIdOf(plan));
    noteProof(work, message.proof);
    work.untold.add(from.group);
  }

  /** What is to be done now; asked again and again, for answers and commands may get lost. */
  onTick(nowMs: number): Action[] {
    const actions = this.unkept.splice(0);
    for (const [id, work] of this.works) {
      if (work.decided !== undefined) actions.push(...this.spread(work, work.decided));
      else if (work.coordinator === this.parts.place.group) actions.push(...this.decide(work, nowMs));
      else for (const proof of this.ownProofs(work)) actions.push({ kind: 'tell', group: work.coordinator, message: { kind: 'prepared', plan: work.plan, proof } });
      if (!isOpen(work) && this.isOver(work, nowMs)) this.works.delete(id);
    }
    return actions;
  }

  /** Nothing is left to do here; who asks the coordinator group later is answered by `recall`, or by another abort. */
  private isOver({ plan, coordinator, decided }: Work, nowMs: number): boolean {
    if (decided === undefined) return nowMs > msOf(lastDecisionOf(plan));
    return coordinator !== this.parts.place.group || nowMs > msOf(plan.decideBy) + limits.planMs;
  }

  /** True once the stages of the first block are proven, or will be no more. */
  private note(blocks: readonly CertifiedBlock[]): boolean {
    const [first] = blocks as readonly [CertifiedBlock];
    return first.block.entries.every(({ command }, i) => {
      if (command.stage === undefined || first.outcomes[i] === 'skipped') return true;
      const receipt = proofFrom(blocks, i);
      if (receipt !== undefined) this.noteStage(command, receipt);
      return receipt !== undefined;
    });
  }

  private noteStage(command: Command, receipt: Receipt): void {
    const payload = payloadOf(command);
    const work = payload === undefined ? undefined : this.workFor(payload.plan);
    if (payload === undefined || work === undefined || receipt.kind !== 'classic') return;
    if (payload.kind === 'decide') {
      const decided = (work.decided = { ...payload.decision, receipt });
      if (decided.verdict === 'commit') this.unkept.push({ kind: 'keep', plan: planIdOf(payload.plan), decided });
      for (const { group } of payload.plan.participants) work.untold.add(group);
      return;
    }
    const { database } = payload;
    if (payload.kind === 'resolve') {
      work.own.set(database, { part: payload.part, open: false });
      work.decided ??= payload.decided;
      return;
    }
    noteProof(work, { database, part: partOf(command)?.id as Prepared['part'], receipt });
    if (receipt.outcome === 'applied') work.own.set(database, { part: payload.part, open: true });
  }

  private ownProofs({ plan, proofs }: Work): Prepared[] {
    return plan.participants.flatMap(({ group, database }) => (group === this.parts.place.group ? [proofs.get(database)].filter((proof) => proof !== undefined) : []));
  }

  /** X-DECIDE: commit when all prepared, abort when one could not, or when nobody may hope any more. */
  private decide({ plan, proofs }: Work, nowMs: number): Action[] {
    const all = plan.participants.map(({ database }) => proofs.get(database)).filter((proof) => proof !== undefined);
    if (nowMs > msOf(plan.decideBy)) {
      const late = nowMs > msOf(plan.decideBy) + this.parts.graceMs && nowMs <= msOf(lastDecisionOf(plan));
      return late ? this.submit(plan, abortFor('timeout'), []) : [];
    }
    const prevented = all.find(({ receipt }) => receipt.kind === 'classic' && receipt.outcome === 'aborted');
    if (prevented !== undefined) return this.submit(plan, abortFor('prevented'), [prevented]);
    return all.length === plan.participants.length ? this.submit(plan, commitOf(all), all) : [];
  }

  private submit(plan: Plan, decision: Decision, proofs: readonly Prepared[]): Action[] {
    return [{ kind: 'submit', command: commandOf({ kind: 'decide', plan, decision, proofs }, this.parts.readPart, this.rules) }];
  }

  /** X-RESOLVE at home, and the news for the others. */
  private spread(work: Work, decided: Decided): Action[] {
    const { plan, own, proofs, untold } = work;
    const resolutions = [...own].flatMap(([database, { part, open }]): Action[] => {
      const prepared = proofs.get(database)?.receipt;
      if (!open || prepared === undefined) return [];
      return [{ kind: 'submit', command: commandOf({ kind: 'resolve', plan, database, part, prepared, decided }, this.parts.readPart, this.rules) }];
    });
    const others = [...untold].filter((group) => group !== this.parts.place.group);
    untold.clear();
    return [...resolutions, ...others.map((group): Action => ({ kind: 'tell', group, message: { kind: 'decided', plan, decided } }))];
  }

  private workFor(plan: Plan): Work | undefined {
    const id = planIdOf(plan);
    const known = this.works.get(id);
    if (known !== undefined) return known;
    if (this.works.size >= limits.plansRemembered && !this.forgetOne()) return undefined;
    const work: Work = {
      plan, coordinator: coordinatorOf(plan).group, proofs: new Map(), own: new Map(), decided: undefined, untold: new Set(),
    };
    this.works.set(id, work);
    return work;
  }

  /** The oldest that is over here; its decision stays in the chain. */
  private forgetOne(): boolean {
    for (const [id, work] of this.works) {
      if (work.decided === undefined || isOpen(work)) continue;
      return this.works.delete(id);
    }
    return false;
  }
}

/** One part of a database at most has intents (X-PART): what became of others tried beside it must not hide it. */
function noteProof({ proofs }: Work, proof: Prepared): void {
  const known = proofs.get(proof.database)?.receipt;
  if (known?.kind !== 'classic' || known.outcome !== 'applied') proofs.set(proof.database, proof);
}

function isOpen({ own }: Work): boolean {
  return [...own.values()].some(({ open }) => open);
}
