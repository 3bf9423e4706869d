/** One operation on one key. A `cas` takes effect only if the key holds `expect`; a `read` returned `expect`. */
export interface Operation {
  readonly id: string;
  readonly kind: 'read' | 'cas';
  readonly expect: string | null;
  readonly set: string | null;
  readonly invokeMs: number;
  /** Infinity: no answer came, so it may have happened at any time later, or never. */
  readonly completeMs: number;
}

export type Verdict = 'linearizable' | 'broken' | 'unknown';

/** Operations of one key beyond which the search is not worth its time. */
export const MOST_OPERATIONS = 200;
const MOST_STEPS = 50_000;

/**
 * Linearizability of one key (Wing and Gong, with Lowe's memory of configurations): is there an order of all answered
 * operations, within their intervals, under which a plain register answers the same? Keys are independent of each
 * other, so each is searched by itself.
 */
export function checkLinear(operations: readonly Operation[], initial: string | null = null): Verdict {
  const ops = [...operations].sort((a, b) => a.invokeMs - b.invokeMs).slice(0, MOST_OPERATIONS);
  const answered = ops.filter(({ completeMs }) => completeMs < Infinity).length;
  const seen = new Set<string>();
  const done = ops.map(() => false);
  let steps = 0;
  const search = (state: string | null, left: number): Verdict => {
    if (left === 0) return 'linearizable';
    if (++steps > MOST_STEPS) return 'unknown';
    const key = `${done.map((yes) => (yes ? 1 : 0)).join('')}${state}`;
    if (seen.has(key)) return 'broken';
    seen.add(key);
    for (const i of candidates(ops, done)) {
      const op = ops[i] as Operation;
      if (op.expect !== state) continue;
      done[i] = true;
      const verdict = search(op.kind === 'cas' ? op.set : state, op.completeMs < Infinity ? left - 1 : left);
      if (verdict !== 'broken') return verdict;
      done[i] = false;
    }
    return 'broken';
  };
  return search(initial, answered);
}

/** Operations that may come next: nobody else was answered before they began. */
function candidates(ops: readonly Operation[], done: readonly boolean[]): number[] {
  let firstAnswer = Infinity;
  ops.forEach(({ completeMs }, i) => {
    if (!done[i] && completeMs < firstAnswer) firstAnswer = completeMs;
  });
  return ops.flatMap(({ invokeMs }, i) => (!done[i] && invokeMs <= firstAnswer ? [i] : []));
}
