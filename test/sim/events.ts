/** Virtual time: a binary heap ordered by time, then by order of scheduling. */
export class Events {
  now = 0;
  private seq = 0;
  private readonly heap: { at: number; seq: number; run: () => void }[] = [];

  after(delayMs: number, run: () => void): void {
    this.push({ at: this.now + Math.max(0, delayMs), seq: this.seq++, run });
  }

  /** Runs the next event; false when there is none before `untilMs`. */
  next(untilMs: number): boolean {
    const first = this.heap[0];
    if (first === undefined || first.at > untilMs) return false;
    this.pop();
    this.now = first.at;
    first.run();
    return true;
  }

  private push(event: { at: number; seq: number; run: () => void }): void {
    const { heap } = this;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(heap[i] as never, heap[parent] as never)) break;
      swap(heap, i, parent);
      i = parent;
    }
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    heap[0] = last;
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2]) if (child < heap.length && before(heap[child] as never, heap[least] as never)) least = child;
      if (least === i) return;
      swap(heap, i, least);
      i = least;
    }
  }
}

function before(a: { at: number; seq: number }, b: { at: number; seq: number }): boolean {
  return a.at !== b.at ? a.at < b.at : a.seq < b.seq;
}

function swap<T>(list: T[], i: number, j: number): void {
  const kept = list[i] as T;
  list[i] = list[j] as T;
  list[j] = kept;
}
