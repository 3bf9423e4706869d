import { addMs, MAX_TIMESTAMP, ZERO_TIMESTAMP } from '../hlc/index.ts';
import { limits } from '../limits/index.ts';
import { footprintRootOf } from '../rows/index.ts';
import { bytesOf, compareHex, ZERO_HASH, type Command, type EntryId, type Item, type Path } from '../types/index.ts';
import { decisionPathOf, isIntentPath, lastDecisionOf, named, planIdOf, prepareIdOf, resolutionPathOf, usesAlone } from './plan.ts';
import { ALL_RULES, type CrossGroupRules } from './rules.ts';
import { decisionIdOf, decodePayload, encodePayload, isPayload, type Decide, type PartReader, type Payload, type Prepare, type Resolve } from './stages.ts';

/** Payload and part of commands made here; decoding a resolution twice would cost more than executing it. */
const origins = new WeakMap<Command, { readonly payload: Payload; readonly part: Command | undefined }>();

const NONE = ZERO_HASH as EntryId;

/** The command that orders one stage. Its id binds everything that execution looks at (X-BIND). */
export function commandOf(payload: Payload, readPart: PartReader, rules: CrossGroupRules = ALL_RULES): Command {
  return make(payload, encodePayload(payload), readPart, rules);
}

/**
 * A reader for consensus: ordinary commands through `readPart`, stages as they are. Throws CODEC_* as `readPart` does.
 *
 * @example
 *   const read = stageReader((bytes) => toCommand(domain, decodeTransaction(bytes), bytes));
 */
export function stageReader(readPart: PartReader, rules: CrossGroupRules = ALL_RULES): PartReader {
  return (data) => (isPayload(data) ? make(decodePayload(data), data, readPart, rules) : readPart(data));
}

/** What a stage carries; undefined for an ordinary command. */
export function payloadOf(command: Command): Payload | undefined {
  return origins.get(command)?.payload;
}

/** The part that a prepare or a resolution is about. */
export function partOf(command: Command): Command | undefined {
  return origins.get(command)?.part;
}

function make(payload: Payload, data: Uint8Array, readPart: PartReader, rules: CrossGroupRules): Command {
  const part = payload.kind === 'decide' ? undefined : readPart(payload.part);
  const made = part === undefined ? decide(payload as Decide, rules) : stageOf(payload as Prepare | Resolve, part, rules);
  const command: Command = { ...made, bytes: data, classicOnly: true };
  origins.set(command, { payload, part });
  return command;
}

type Made = Omit<Command, 'bytes' | 'classicOnly'>;

function stageOf(payload: Prepare | Resolve, part: Command, rules: CrossGroupRules): Made {
  return payload.kind === 'prepare' ? prepare(payload, part, rules) : resolve(payload, part);
}

/** X-PREPARE: all that the part names is locked, what it only reads for writers; free again within `planMs`, whatever the writer wished. */
function prepare({ plan, database }: Prepare, part: Command, { holdsReads }: CrossGroupRules): Made {
  const { client, notAfter, noncePath, footprintRoot, items } = part;
  const id = prepareIdOf(planIdOf(plan), database, part.id);
  return { id, client, notAfter, noncePath, footprintRoot, items, stage: { kind: 'prepare', notBefore: addMs(plan.decideBy, -limits.planMs), holdsReads } };
}

/** X-ONCE: the key of the plan's decision, at version zero, is all it needs. */
function decide({ plan, decision }: Decide, { oneDecisionKey }: CrossGroupRules): Made {
  const planId = planIdOf(plan);
  const id = decisionIdOf(planId, decision);
  const noncePath = oneDecisionKey ? decisionPathOf(planId) : decisionPathOf(id);
  const items = usesAlone(noncePath);
  const late = decision.verdict === 'timeout'; // then only aborts, before that never: they do not race
  const notBefore = late ? plan.decideBy : ZERO_TIMESTAMP;
  return {
    id, client: plan.writer, notAfter: late ? lastDecisionOf(plan) : plan.decideBy, noncePath, footprintRoot: footprintRootOf(items), items,
    stage: { kind: 'decide', notBefore },
  };
}

/**
 * X-RESOLVE: a commit is the part itself at the decided time: same id, same footprint root, so the versions it writes lead back
 * to the writer's signature as those of any transaction. An abort brings the versions back that were there before.
 */
function resolve({ plan, prepared, decided }: Resolve, part: Command): Made {
  const commits = decided.verdict === 'commit';
  const locked = part.items.filter(({ path }) => path !== part.noncePath);
  const noncePath = resolutionPathOf(prepared.entry);
  const ends = locked.map((item): Item => (item.mode === 'R' ? item : { ...item, version: prepared.entry }));
  const items = [...ends, { path: noncePath, version: NONE, mode: 'W' as const }].sort((a, b) => compareHex(a.path, b.path));
  const back = commits ? [] : locked.filter(({ path, mode }) => mode === 'W' && !isIntentPath(path));
  const restores = new Map<Path, EntryId>(back.map(({ path, version }) => [path, version]));
  return {
    id: commits ? part.id : named(0x13, bytesOf(planIdOf(plan)), bytesOf(prepared.entry)),
    client: part.client, notAfter: MAX_TIMESTAMP, noncePath, items,
    footprintRoot: commits ? part.footprintRoot : footprintRootOf(items),
    stage: { kind: 'resolve', intent: prepared.entry, ts: commits ? decided.ts : undefined, restores },
  };
}
