import { merkleRoot } from '../crypto/index.ts';
import { invariant } from '../errors/index.ts';
import { ZERO_TIMESTAMP } from '../hlc/index.ts';
import {
  compareHex, ZERO_HASH, type BlockHash, type Command, type EntryId, type Item, type KeyVersion, type Path, type Stage, type Timestamp,
} from '../types/index.ts';
import { effectsRootOf, outcomeLeaf, type BlockEntry, type Consumed, type Outcome } from './block.ts';
import type { KnownEntry } from './entry.ts';
import { closeAt, keyAt, pendingOf } from './keys.ts';
import type { Execution, Replica } from './state.ts';

interface Run {
  readonly replica: Replica;
  readonly parent: BlockHash;
  readonly closeTs: Timestamp;
  readonly writes: Map<Path, KeyVersion>;
  readonly consumed: Consumed[];
  readonly inBlock: Map<EntryId, Command>;
  readonly opened: Map<EntryId, Timestamp>;
  readonly closed: Set<EntryId>;
}

/** Executes entries in order over `parent` (§2.2 exec, §2.9). Deterministic; changes nothing. */
export function execute(replica: Replica, parent: BlockHash, entries: readonly BlockEntry[]): Execution {
  const run: Run = {
    replica, parent, closeTs: closeAt(replica, parent), writes: new Map(), consumed: [], inBlock: new Map(), opened: new Map(), closed: new Set(),
  };
  const outcomes: Outcome[] = [];
  const outcomeOf = new Map<EntryId, Outcome>();
  for (const entry of entries) {
    const outcome = executeEntry(run, entry);
    outcomes.push(outcome);
    // one entry twice in a block: the first run counts
    if (!outcomeOf.has(entry.id)) outcomeOf.set(entry.id, outcome);
    run.inBlock.set(entry.id, entry.command);
  }
  const consumed = run.consumed.toSorted((a, b) => compareHex(a.path, b.path));
  return {
    outcomes, outcomeOf, writes: run.writes, consumed, opened: run.opened, closed: run.closed,
    effectsRoot: effectsRootOf(consumed),
    outcomeRoot: merkleRoot(entries.map(({ id }, i) => outcomeLeaf(id, outcomes[i] as Outcome))),
  };
}

function executeEntry(run: Run, entry: BlockEntry): Outcome {
  const { command, ts } = entry;
  const { stage } = command;
  if (stateOf(run, command.noncePath).version !== ZERO_HASH) return 'skipped';
  if (run.replica.rules.lateRule && ts <= run.closeTs) return 'skipped';
  if (stage !== undefined && stage.kind !== 'resolve' && ts <= stage.notBefore) return 'skipped';
  const holds = ts <= command.notAfter && itemsHold(command.items, ts, (path) => stateOf(run, path), stage);
  // decisions and resolutions have no effect or their own: an abort would use up the key that the right one needs
  if (!holds) return stage === undefined || stage.kind === 'prepare' ? abort(run, entry) : 'skipped';
  const base = pendingOf(run.replica, run.parent);
  const pending = (id: EntryId): Command | undefined => run.inBlock.get(id) ?? base(id);
  const verdict = run.replica.application.check(command, pending);
  invariant(verdict !== 'unresolved', 'current-versions-resolve', { entry: entry.id });
  if (verdict === 'invalid' && run.replica.rules.bodiesExamined) return abort(run, entry);
  const removes = new Set(run.replica.application.removes(command, pending));
  for (const item of command.items) {
    if (item.mode === 'W') run.consumed.push({ path: item.path, from: item.version, to: entry.id });
    run.writes.set(item.path, afterItem(stateOf(run, item.path), item, entry, removes));
  }
  if (stage?.kind === 'prepare') run.opened.set(entry.id, ts);
  if (stage?.kind === 'resolve') run.closed.add(stage.intent);
  return 'applied';
}

/** An abort consumes the nonce, so that replay and execution agree on what has run (§2.20 M1). */
function abort(run: Run, { command, id, ts }: BlockEntry): Outcome {
  if (!run.replica.rules.abortsConsume) return 'aborted';
  run.consumed.push({ path: command.noncePath, from: ZERO_HASH as EntryId, to: id });
  run.writes.set(command.noncePath, { version: id, writtenAt: ts, readAt: ZERO_TIMESTAMP });
  return 'aborted';
}

function stateOf(run: Run, path: Path): KeyVersion {
  return run.writes.get(path) ?? keyAt(run.replica, run.parent, path);
}

/** Every item is at its version and the timestamp order agrees (§2.2 exec). */
export function itemsHold(items: readonly Item[], ts: Timestamp, stateAt: (path: Path) => KeyVersion, stage?: Stage): boolean {
  return items.every((item) => itemHolds(item, ts, stateAt(item.path), stage));
}

/** An intent holds for its resolution alone, whose timestamp may be that of the intent itself (X-LOCK, X-RESOLVE). */
export function itemHolds(item: Item, ts: Timestamp, at: KeyVersion, stage?: Stage): boolean {
  if (stage?.kind === 'resolve') return at.version === item.version && ts >= at.writtenAt;
  const mayWrite = at.heldBy === undefined && ts > at.readAt;
  return at.version === item.version && at.intent === undefined && ts > at.writtenAt && (item.mode === 'R' || mayWrite);
}

/** X-LOCK: who holds the key for reading, after a stage that only reads it. Doing it twice is doing it once. */
function held(known: KeyVersion, id: EntryId, stage: Stage | undefined): KeyVersion {
  if (stage === undefined) return known;
  const { heldBy = [], ...at } = known;
  const ends = stage?.kind === 'resolve' ? stage.intent : undefined;
  const begins = stage?.kind === 'prepare' && stage.holdsReads ? id : undefined;
  const others = heldBy.filter((each) => each !== ends && each !== begins);
  const holders = begins === undefined ? others : [...others, begins];
  return holders.length === 0 ? at : { ...at, heldBy: holders };
}

/** State of a key after an entry used it. */
export function afterItem(at: KeyVersion, item: Item, { id, ts, command }: KnownEntry, removes: ReadonlySet<Path>): KeyVersion {
  const { stage } = command;
  const back = stage?.kind === 'resolve' ? stage.restores.get(item.path) : undefined;
  if (back !== undefined) return { version: back, writtenAt: at.writtenAt, readAt: ts };
  if (item.mode === 'R') return { ...held(at, id, stage), readAt: ts > at.readAt ? ts : at.readAt };
  const written = { version: (removes.has(item.path) ? ZERO_HASH : id) as EntryId, writtenAt: ts, readAt: ZERO_TIMESTAMP };
  return stage?.kind === 'prepare' && item.path !== command.noncePath ? { ...written, intent: true } : written;
}
