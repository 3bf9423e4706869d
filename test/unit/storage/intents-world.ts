import { afterItem } from '../../../protocol/consensus/execute.ts';
import {
  abortFor, commandOf, decisionIdOf, decisionLeafOf, decisionPathOf, intentPathOf, isIntentPath, markLeafOf, planIdOf, prepareIdOf,
  type Decided, type Plan,
} from '../../../protocol/cross-group/index.ts';
import type { ClassicReceipt } from '../../../protocol/consensus/index.ts';
import { addMs } from '../../../protocol/hlc/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { contentHashOf, entryIdOf, keyHashOf, rowHashOf, type EntryRef, type Mutation } from '../../../protocol/rows/index.ts';
import {
  ZERO_HASH, type Command, type DatabaseId, type EntryId, type GroupId, type Hash32, type Item, type KeyVersion, type Path, type Timestamp, type TxId,
} from '../../../protocol/types/index.ts';
import type { AppliedEntry } from '../../../node/ports/index.ts';
import { group, World, type Made } from '../../conformance/ledger-world.ts';

const unwritten: KeyVersion = { version: ZERO_HASH as EntryId, writtenAt: 0n as Timestamp, readAt: 0n as Timestamp };
const elsewhere = `0x${'ee'.repeat(32)}` as GroupId;

/** A part whose intents are there. */
export interface Prepared {
  readonly world: World;
  readonly plan: Plan;
  readonly part: Made;
  readonly by: EntryRef;
}

/** What execution says about every key, by the rules of consensus alone: the plain model that the ledger is compared with. */
export class Keys {
  readonly at = new Map<Path, KeyVersion>();

  /** @param absent paths that the entry left without a row */
  execute({ entryId: id, ts, command, outcome }: AppliedEntry, absent: (path: Path) => boolean): void {
    const removes = new Set(command.items.map(({ path }) => path).filter((path) => path !== command.noncePath && !isIntentPath(path) && absent(path)));
    for (const item of command.items) {
      if (outcome === 'aborted' && item.path !== command.noncePath) continue;
      this.at.set(item.path, afterItem(this.at.get(item.path) ?? unwritten, item, { id, ts, command, origin: 0 } as never, removes));
    }
  }
}

let salts = 0;

/** A plan over the database and one far away, with a part for it. */
export function partFor(world: World, mutations: readonly Mutation[], decideBy: Timestamp, reads: readonly Item[] = []): Omit<Prepared, 'by'> {
  const participants = [{ database: world.database, group, epoch: 1n }, { database: `0x${'ff'.repeat(32)}` as DatabaseId, group: elsewhere, epoch: 1n }];
  const salt = `0x${(++salts).toString(16).padStart(64, '0')}` as Hash32;
  const plan: Plan = { writer: world.metadata.owner, salt, participants, decideBy };
  const mark: Item = { path: intentPathOf(planIdOf(plan), world.database), version: ZERO_HASH as EntryId, mode: 'W' };
  return { world, plan, part: world.sign(mutations, 0n as Timestamp, decideBy, [mark, ...reads]) };
}

export function prepareEntry({ world, plan, part }: Omit<Prepared, 'by'>, ts: Timestamp, outcome: AppliedEntry['outcome'] = 'applied'): AppliedEntry {
  const command = commandOf({ kind: 'prepare', plan, database: world.database, part: part.command.bytes }, () => part.command);
  world.consume(part.tx, { entryId: entryIdOf(part.command.id, ts, part.command.footprintRoot), ts });
  return { entryId: entryIdOf(command.id, ts, command.footprintRoot), ts, command, outcome };
}

/** `decidedTs` undefined: an abort, stamped `ts`. */
export function resolveEntry({ world, plan, part, by }: Prepared, decidedTs: Timestamp | undefined, ts: Timestamp): AppliedEntry {
  const id = planIdOf(plan);
  const decision = decidedTs === undefined ? abortFor('timeout') : { verdict: 'commit' as const, ts: decidedTs, prepared: [by.entryId, ZERO_HASH as EntryId] };
  const decided: Decided = { ...decision, receipt: receiptFor(decisionIdOf(id, decision), ZERO_HASH as EntryId, ts) };
  const prepared = receiptFor(prepareIdOf(id, world.database, part.command.id), by.entryId, by.ts);
  const command = commandOf({ kind: 'resolve', plan, database: world.database, part: part.command.bytes, prepared, decided }, () => part.command);
  const stamp = decidedTs ?? ts;
  const own = { entryId: entryIdOf(part.command.id, stamp, part.command.footprintRoot), ts: stamp };
  if (decidedTs !== undefined) world.run(part.tx, own);
  noteLeaf(world, own, intentPathOf(id, world.database), markLeafOf(id, plan.decideBy), plan.decideBy);
  return { entryId: entryIdOf(command.id, stamp, command.footprintRoot), ts: stamp, command, outcome: 'applied' };
}

export function decideEntry(world: World, plan: Plan, decidedTs: Timestamp | undefined, ts: Timestamp): AppliedEntry {
  const id = planIdOf(plan);
  const decision = decidedTs === undefined ? abortFor('timeout') : { verdict: 'commit' as const, ts: decidedTs, prepared: [id as EntryId, id as EntryId] };
  const command = commandOf({ kind: 'decide', plan, decision, proofs: [] }, (): Command => { throw new Error('decisions have no part'); });
  const by = { entryId: entryIdOf(command.id, ts, command.footprintRoot), ts };
  const until = decidedTs === undefined ? plan.decideBy : addMs(plan.decideBy, limits.decisionMs);
  noteLeaf(world, by, decisionPathOf(id), decisionLeafOf({ ...decision, plan: id, decideBy: plan.decideBy }), until);
  return { ...by, command, outcome: 'applied' };
}

function noteLeaf(world: World, by: EntryRef, path: Path, { key, content }: ReturnType<typeof markLeafOf>, notAfter: Timestamp): void {
  world.note(by, path, rowHashOf(by, keyHashOf(key), contentHashOf(content)), notAfter);
}

function receiptFor(command: TxId, entry: EntryId, ts: Timestamp): ClassicReceipt {
  return {
    kind: 'classic', command, entry, ts, footprintRoot: ZERO_HASH, outcome: 'applied', path: [], headers: [],
    qc: { view: 0n, round: 1, blockHash: ZERO_HASH as never, votes: [] },
  };
}
