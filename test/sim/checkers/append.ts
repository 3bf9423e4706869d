/** One transaction of a history over append-only lists, as its client saw it. */
export interface Txn {
  readonly id: string;
  /** `info`: nobody knows whether it took effect. */
  readonly status: 'ok' | 'fail' | 'info';
  readonly invokeMs: number;
  /** Infinity when no answer came. */
  readonly completeMs: number;
  /** Lists as read, before the own appends. */
  readonly reads: ReadonlyMap<string, readonly string[]>;
  /** Tokens appended, in order. */
  readonly appends: ReadonlyMap<string, readonly string[]>;
}

export interface Anomaly {
  readonly name: string;
  readonly what: string;
}

type EdgeKind = 'ww' | 'wr' | 'rw' | 'rt';
interface Edge {
  readonly to: number;
  readonly kind: EdgeKind;
}

/**
 * Serializability of a list-append history, strict with real time (the approach of Elle): reads give the order of
 * versions, the order gives the dependencies, and a cycle of dependencies is an anomaly with a name.
 */
export function checkAppends(history: readonly Txn[]): Anomaly[] {
  const happened = history.filter(({ status }) => status !== 'fail');
  const anomalies: Anomaly[] = [...dirtyReads(history)];
  const orders = versionOrders(happened, anomalies);
  if (anomalies.length > 0) return anomalies;
  const graph = dependencies(happened, orders);
  return cycles(happened, graph);
}

/** G1a: somebody read what a failed transaction wrote. G1b: somebody read what its writer overwrote at once. */
function dirtyReads(history: readonly Txn[]): Anomaly[] {
  const found: Anomaly[] = [];
  const failed = new Map<string, string>();
  const intermediate = new Map<string, string>();
  for (const { id, status, appends } of history) {
    for (const tokens of appends.values()) {
      if (status === 'fail') for (const token of tokens) failed.set(token, id);
      for (const token of tokens.slice(0, -1)) intermediate.set(token, id);
    }
  }
  for (const { id, status, reads } of history) {
    if (status !== 'ok') continue;
    for (const [key, list] of reads) {
      const dirty = list.find((token) => failed.has(token));
      if (dirty !== undefined) found.push({ name: 'G1a', what: `${id} read ${dirty} on ${key}, which ${failed.get(dirty)} never committed` });
      const last = list.at(-1);
      if (last !== undefined && intermediate.has(last) && intermediate.get(last) !== id) {
        found.push({ name: 'G1b', what: `${id} read ${last} on ${key}, which ${intermediate.get(last)} wrote on the way` });
      }
    }
  }
  return found;
}

/** The longest list seen under a key is the order of its versions; every other one must be the start of it. */
function versionOrders(history: readonly Txn[], anomalies: Anomaly[]): Map<string, readonly string[]> {
  const seen = new Map<string, { list: readonly string[]; by: string }[]>();
  for (const { id, status, reads, appends } of history) {
    if (status !== 'ok') continue;
    for (const [key, list] of reads) {
      const after = [...list, ...(appends.get(key) ?? [])];
      seen.set(key, [...(seen.get(key) ?? []), { list: after, by: id }]);
    }
  }
  const orders = new Map<string, readonly string[]>();
  for (const [key, lists] of seen) {
    const longest = lists.reduce((best, each) => (each.list.length > best.list.length ? each : best));
    orders.set(key, longest.list);
    if (new Set(longest.list).size !== longest.list.length) anomalies.push({ name: 'duplicate', what: `${key} holds one append twice` });
    const stray = lists.find(({ list }) => list.some((token, i) => longest.list[i] !== token));
    if (stray !== undefined) anomalies.push({ name: 'incompatible-order', what: `${stray.by} and ${longest.by} saw ${key} in different orders` });
  }
  return orders;
}

function dependencies(history: readonly Txn[], orders: ReadonlyMap<string, readonly string[]>): Edge[][] {
  const graph: Edge[][] = history.map(() => []);
  const writer = new Map<string, number>();
  history.forEach(({ appends }, i) => {
    for (const tokens of appends.values()) for (const token of tokens) writer.set(token, i);
  });
  const edge = (from: number | undefined, to: number | undefined, kind: EdgeKind): void => {
    if (from !== undefined && to !== undefined && from !== to) graph[from]?.push({ to, kind });
  };
  for (const order of orders.values()) order.forEach((token, i) => edge(writer.get(order[i - 1] ?? ''), writer.get(token), 'ww'));
  history.forEach(({ status, reads }, reader) => {
    if (status !== 'ok') return;
    for (const [key, list] of reads) {
      edge(writer.get(list.at(-1) ?? ''), reader, 'wr');
      edge(reader, writer.get(orders.get(key)?.[list.length] ?? ''), 'rw');
    }
  });
  history.forEach(({ completeMs }, first) => {
    history.forEach(({ invokeMs }, second) => {
      if (completeMs < invokeMs) edge(first, second, 'rt');
    });
  });
  return graph;
}

/** The strongest name that fits: from cycles of writes alone to cycles that only real time closes. */
const FORBIDDEN: readonly (readonly [name: string, kinds: readonly EdgeKind[]])[] = [
  ['G0', ['ww']], ['G1c', ['ww', 'wr']], ['G-single', ['ww', 'wr']], ['G2', ['ww', 'wr', 'rw']],
  ['G0-realtime', ['ww', 'rt']], ['G1c-realtime', ['ww', 'wr', 'rt']], ['G-single-realtime', ['ww', 'wr', 'rt']], ['G2-realtime', ['ww', 'wr', 'rw', 'rt']],
];

function cycles(history: readonly Txn[], graph: readonly Edge[][]): Anomaly[] {
  for (const [name, kinds] of FORBIDDEN) {
    const only = graph.map((edges) => edges.filter(({ kind }) => kinds.includes(kind)).map(({ to }) => to));
    const cycle = name.startsWith('G-single') ? singleCycle(graph, only) : components(only).find((component) => component.length > 1);
    if (cycle !== undefined) return [{ name, what: `cycle of ${cycle.map((i) => history[i]?.id).join(' -> ')}` }];
  }
  return [];
}

/** Exactly one anti-dependency: some `rw` edge whose end leads back without another. */
function singleCycle(graph: readonly Edge[][], only: readonly number[][]): number[] | undefined {
  for (const [from, edges] of graph.entries()) {
    for (const { to, kind } of edges) if (kind === 'rw' && reaches(only, to, from)) return [from, to];
  }
  return undefined;
}

function reaches(graph: readonly number[][], from: number, to: number): boolean {
  const seen = new Set([from]);
  const stack = [from];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at === to) return true;
    for (const next of graph[at] ?? []) if (!seen.has(next)) stack.push(next), seen.add(next);
  }
  return false;
}

/** Tarjan's strongly connected components, without recursion. */
export function components(graph: readonly (readonly number[])[]): number[][] {
  const index: (number | undefined)[] = [];
  const low: number[] = [];
  const open: number[] = [];
  const isOpen = new Set<number>();
  const found: number[][] = [];
  let counter = 0;
  const enter = (v: number): void => {
    index[v] = low[v] = counter++;
    open.push(v);
    isOpen.add(v);
  };
  for (let root = 0; root < graph.length; root++) {
    if (index[root] !== undefined) continue;
    const path: { v: number; next: number }[] = [{ v: root, next: 0 }];
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const w = graph[top.v]?.[top.next++];
      if (w === undefined) {
        path.pop();
        const parent = path.at(-1);
        if (parent !== undefined) low[parent.v] = Math.min(low[parent.v] as number, low[top.v] as number);
        if (low[top.v] === index[top.v]) found.push(closeComponent(open, isOpen, top.v));
      } else if (index[w] === undefined) {
        enter(w);
        path.push({ v: w, next: 0 });
      } else if (isOpen.has(w)) low[top.v] = Math.min(low[top.v] as number, index[w] as number);
    }
  }
  return found;
}

function closeComponent(open: number[], isOpen: Set<number>, root: number): number[] {
  const members: number[] = [];
  for (let v = open.pop(); v !== undefined; v = open.pop()) {
    members.push(v);
    isOpen.delete(v);
    if (v === root) break;
  }
  return members;
}
