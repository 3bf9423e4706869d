import { ZERO_HASH } from '../../../protocol/types/index.ts';
import { bodyOf, nameOf, pathOf } from '../commands.ts';
import type { Version } from '../ledger.ts';
import { ACCOUNTS, OPENING_BALANCE } from '../workload.ts';
import type { ChainChecker, Executed } from './chain.ts';
import type { Violate } from './index.ts';

/** Snapshots that one run keeps to judge at its end. */
const MOST_SNAPSHOTS = 24;

interface Snapshot {
  readonly by: number;
  readonly at: bigint;
  readonly contents: ReadonlyMap<string, Version>;
}

/** Reads at a closed timestamp: they never change afterwards, and money is conserved in every one. */
export class SnapshotChecker {
  private readonly taken: Snapshot[] = [];
  private readonly violate: Violate;
  private readonly chain: ChainChecker;

  constructor(violate: Violate, chain: ChainChecker) {
    this.violate = violate;
    this.chain = chain;
  }

  take(by: number, at: bigint, contents: ReadonlyMap<string, Version>): void {
    if (at > 0n && this.taken.length < MOST_SNAPSHOTS) this.taken.push({ by, at, contents });
  }

  /** At the end of the run everything that became final is known: a snapshot at T is the fold of what is at or below T. */
  end(alsoFinal: readonly Executed[]): void {
    const known = new Set(this.chain.applied.map(({ id }) => id));
    const finals = [...this.chain.applied, ...alsoFinal.filter(({ id }) => !known.has(id))].sort((a, b) => (a.ts < b.ts ? -1 : 1));
    for (const snapshot of this.taken) {
      const expected = foldOf(finals, snapshot.at);
      this.compare(snapshot, expected);
      this.balance(snapshot);
    }
  }

  private compare({ by, at, contents }: Snapshot, expected: ReadonlyMap<string, string>): void {
    for (const path of new Set([...contents.keys(), ...expected.keys()])) {
      if (isNonce(path)) continue;
      const served = contents.get(path)?.version ?? ZERO_HASH;
      const right = expected.get(path) ?? ZERO_HASH;
      if (served === right) continue;
      this.violate('snapshot', `${by} served ${nameOf(path)} at ${at} as ${served}, final entries say ${right}`);
      return;
    }
  }

  private balance({ by, at, contents }: Snapshot): void {
    let sum = 0;
    for (let i = 0; i < ACCOUNTS; i++) sum += Number(contents.get(pathOf(`A${i}`))?.value?.[0] ?? OPENING_BALANCE);
    if (sum !== ACCOUNTS * OPENING_BALANCE) this.violate('money', `${by} at ${at}: accounts hold ${sum} instead of ${ACCOUNTS * OPENING_BALANCE}`);
  }
}

const isNonce = (path: string): boolean => nameOf(path) === undefined;

/** Newest writer of every key among entries at or below a timestamp. */
function foldOf(finals: readonly Executed[], at: bigint): Map<string, string> {
  const state = new Map<string, string>();
  for (const { id, ts, command } of finals) {
    if (ts > at) break;
    const { removes } = bodyOf(command);
    for (const { path, mode } of command.items) if (mode === 'W') state.set(path, removes.includes(path) ? ZERO_HASH : id);
  }
  return state;
}
