import type { PicoloError } from '../errors/index.ts';
import type { ItemMode, Path } from '../types/index.ts';
import { contentBefore, isAbsent, resolveEach, type Before } from './before.ts';
import { txFaults } from './faults.ts';
import type { Change } from './leaf.ts';
import type { KeyRef } from './path.ts';

/** A key that a transaction depends on. */
export interface Use {
  readonly ref: KeyRef;
  readonly mode: ItemMode;
}

/** What mutations use and write. Both follow from the schema and the rows before, on every machine alike. */
export interface Plan {
  readonly uses: ReadonlyMap<Path, Use>;
  readonly changes: readonly Change[];
}

type Otherwise = () => PicoloError;
type State = 'present' | 'absent';

/**
 * Collects a plan in two steps: first which keys matter (that needs the old rows only, so a client can
 * fetch the rest), then `settle` looks at them.
 */
export class PlanBuilder implements Plan {
  readonly uses = new Map<Path, Use>();
  readonly changes: Change[] = [];
  readonly #demands: { readonly ref: KeyRef; readonly state: State; readonly otherwise: Otherwise }[] = [];
  readonly #counts = new Map<Path, { readonly ref: KeyRef; readonly delta: bigint }>();
  readonly #empty: { readonly ref: KeyRef; readonly otherwise: Otherwise }[] = [];

  read(ref: KeyRef): void {
    if (!this.uses.has(ref.path)) this.uses.set(ref.path, { ref, mode: 'R' });
  }

  /** Writing a key implies having read it. */
  write(ref: KeyRef, content: Change['content']): void {
    this.consume(ref);
    this.changes.push({ ref, content });
  }

  /** Written without content of its own: the nonce, whose leaf even an aborted entry leaves. */
  consume(ref: KeyRef): void {
    this.uses.set(ref.path, { ref, mode: 'W' });
  }

  /** A leaf that only writers of its row touch: no item, the row's own guards it. */
  follow(change: Change): void {
    this.changes.push(change);
  }

  demand(ref: KeyRef, state: State, otherwise: Otherwise): void {
    this.#demands.push({ ref, state, otherwise });
  }

  /** Moves a counter; zero moves nothing. */
  count(ref: KeyRef, delta: bigint): void {
    if (delta === 0n) return;
    this.consume(ref);
    this.#counts.set(ref.path, { ref, delta });
  }

  /** The counter is zero when the transaction is over; call after every `count`. */
  demandZero(ref: KeyRef, otherwise: Otherwise): void {
    this.read(ref);
    this.#empty.push({ ref, otherwise });
  }

  /** Checks every demand and computes the counters. Throws what `otherwise` makes, TX_UNRESOLVED. */
  settle(before: Before): Plan {
    for (const { ref, state, otherwise } of this.#demands) if (isAbsent(before, ref) !== (state === 'absent')) throw otherwise();
    const totals = new Map<Path, bigint>();
    const moved = resolveEach(this.#counts.values(), ({ ref, delta }) => ({ ref, total: countBefore(before, ref) + delta }));
    for (const { ref, total } of moved) {
      if (total < 0n) throw txFaults.badState({ table: ref.table, index: ref.index, reason: 'fewer children counted than removed' });
      totals.set(ref.path, total);
      this.changes.push({ ref, content: total === 0n ? null : [total] });
    }
    for (const { ref, otherwise } of this.#empty) {
      const total = totals.get(ref.path);
      if (total === undefined ? !isAbsent(before, ref) : total !== 0n) throw otherwise();
    }
    return this;
  }
}

function countBefore(before: Before, ref: KeyRef): bigint {
  const [count] = contentBefore(before, ref) ?? [0n];
  if (typeof count !== 'bigint') throw txFaults.badState({ table: ref.table, index: ref.index, reason: 'not a counter' });
  return count;
}
