import {
  decisionExpiryOf, decisionLeafOf, decisionPathOf, DECISION_TABLE, intentPathOf, MARK_TABLE, markLeafOf, partOf, payloadOf, planIdOf,
  type Decide, type Resolve,
} from '../../../protocol/cross-group/index.ts';
import { invariant } from '../../../protocol/errors/index.ts';
import { entryIdOf, type EntryRef, type SignedTransaction } from '../../../protocol/rows/index.ts';
import type { Command, Hash32, Timestamp } from '../../../protocol/types/index.ts';
import type { AppliedEntry } from '../../ports/index.ts';
import { blobOf } from '../file/bytes.ts';
import type { Applier } from './apply.ts';
import type { Intents } from './intents.ts';
import type { Store } from './store.ts';

export interface StageParts {
  readonly store: Store;
  readonly applier: Applier;
  readonly intents: Intents;
  /** The signed transaction of a part. */
  transactionOf(part: Command): SignedTransaction | 'invalid';
}

/**
 * Effects of committed stages of transactions over several groups (spec cross-group). Until it is resolved a part changes no row:
 * its intents stand beside the leaves, so readers at closed timestamps never meet them (X-CLOSE).
 */
export class Stages {
  readonly #parts: StageParts;

  constructor(parts: StageParts) {
    this.#parts = parts;
  }

  /** Inside the block's transaction. */
  apply(entry: AppliedEntry): void {
    const payload = payloadOf(entry.command);
    invariant(payload !== undefined, 'ledger-stages-have-payloads', { entry: entry.entryId });
    switch (payload.kind) {
      case 'prepare': return this.#prepare(entry);
      case 'decide': return this.#decide(entry, payload);
      case 'resolve': return this.#resolve(entry, payload);
    }
  }

  /** Keeps the proof of an own decision as long as its leaf stands. */
  keepDecision(plan: Hash32, decided: Uint8Array): void {
    this.#parts.store.run('INSERT OR IGNORE INTO decisions VALUES (?, ?)', blobOf(plan), decided);
  }

  decision(plan: Hash32): Uint8Array | undefined {
    const found = this.#parts.store.get<{ decided: Buffer }>('SELECT decided FROM decisions WHERE plan = ?', blobOf(plan));
    return found === undefined ? undefined : new Uint8Array(found.decided);
  }

  #prepare({ command, entryId, ts, outcome }: AppliedEntry): void {
    const { applier, intents } = this.#parts;
    const part = this.#partOf(command);
    applier.prepare(versionAt(part.command, ts), part.tx, outcome);
    if (outcome === 'aborted') return;
    for (const { path, mode } of command.items) {
      if (mode === 'R') intents.hold(path, entryId);
      else if (path !== command.noncePath) intents.open(path, entryId, ts);
    }
  }

  #decide({ entryId, ts }: AppliedEntry, { plan, decision }: Decide): void {
    const id = planIdOf(plan);
    const leaf = decisionLeafOf({ ...decision, plan: id, decideBy: plan.decideBy });
    const until = decisionExpiryOf({ ...decision, ...plan });
    this.#parts.applier.decide({ entryId, ts }, { path: decisionPathOf(id), table: DECISION_TABLE, index: '', ...leaf, until });
  }

  #resolve({ command, entryId, ts }: AppliedEntry, { plan, database, prepared, decided }: Resolve): void {
    const { applier, intents } = this.#parts;
    const part = this.#partOf(command);
    const id = planIdOf(plan);
    const path = intentPathOf(id, database);
    for (const { path: locked, mode } of command.items) {
      if (mode === 'R') intents.release(locked, prepared.entry);
      else intents.end(locked);
    }
    applier.resolve(versionAt(part.command, ts), part.tx, {
      commits: decided.verdict === 'commit', preparedAt: prepared.ts,
      mark: { path, table: MARK_TABLE, index: '', ...markLeafOf(id, plan.decideBy), until: plan.decideBy },
    });
    intents.used(command.noncePath, entryId, ts);
    if (decided.verdict !== 'commit') intents.used(path, entryId, ts);
  }

  #partOf(command: Command): { readonly command: Command; readonly tx: SignedTransaction } {
    const part = partOf(command);
    const tx = part === undefined ? 'invalid' : this.#parts.transactionOf(part);
    invariant(part !== undefined && tx !== 'invalid', 'ledger-committed-commands-are-genuine', { command: command.id });
    return { command: part, tx };
  }
}

/**
 * Leaves name the part itself, at the timestamp of the stage: so each leads back to what its writer signed, and is proven like
 * the leaves of any transaction. Nobody ever names these versions of nonces and marks, so they need not be the entry's own.
 */
function versionAt({ id, footprintRoot }: Command, ts: Timestamp): EntryRef {
  return { entryId: entryIdOf(id, ts, footprintRoot), ts };
}

