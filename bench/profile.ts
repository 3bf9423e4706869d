/**
 * Reads a CPU profile that `npm run bench -- NAME --profile DIR` wrote: where the time went, by function, alone and with what it
 * called. Samples count wall time: on a busy machine a system call also shows what ran in between.
 *
 *   node bench/profile.ts DIR/FILE.cpuprofile [lines]
 */
import { readFileSync } from 'node:fs';
import { renderTable } from '../cli/output.ts';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const IDLE = '(idle)';
const [file = '', lines = '40'] = process.argv.slice(2);
const profile = JSON.parse(readFileSync(file, 'utf8')) as Profile;
const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
const selfUs = new Map<number, number>();
profile.samples.forEach((id, i) => selfUs.set(id, (selfUs.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0)));

const alone = new Map<string, number>();
const withCalled = new Map<string, number>();
walk(profile.nodes[0] as ProfileNode, new Set());
const busyUs = [...alone.values()].reduce((sum, us) => sum + us, 0) - (alone.get(IDLE) ?? 0);
console.log(`busy ${(busyUs / 1e6).toFixed(1)} s`);
print('alone', alone);
print('with what it called', withCalled);

/** Returns the time under a node; a function inside itself counts once. */
function walk(node: ProfileNode, above: Set<string>): number {
  const name = nameOf(node);
  let us = selfUs.get(node.id) ?? 0;
  alone.set(name, (alone.get(name) ?? 0) + us);
  const first = !above.has(name);
  above.add(name);
  for (const child of node.children ?? []) us += walk(nodes.get(child) as ProfileNode, above);
  if (!first) return us;
  above.delete(name);
  withCalled.set(name, (withCalled.get(name) ?? 0) + us);
  return us;
}

function nameOf({ callFrame: { functionName, url, lineNumber } }: ProfileNode): string {
  if (url === '') return functionName === '' ? '(anonymous)' : functionName;
  return `${functionName === '' ? '(anonymous)' : functionName} ${url.replace(/^.*?\/((?:protocol|node|sdk|cli|bench|test|node_modules)\/)/, '$1')}:${lineNumber + 1}`;
}

function print(title: string, times: ReadonlyMap<string, number>): void {
  const rows = [...times].filter(([name]) => name !== IDLE).sort(([, a], [, b]) => b - a).slice(0, Number(lines));
  console.log(`\n${renderTable(['ms', 'share', title], rows.map(([name, us]) => [Math.round(us / 1000), `${((us / busyUs) * 100).toFixed(1)} %`, name]))}`);
}
