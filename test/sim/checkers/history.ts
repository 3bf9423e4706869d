import type { Submitted } from '../workload.ts';
import { bodyOf, nameOf, tokenOf } from '../commands.ts';
import { checkAppends, type Txn } from './append.ts';
import type { Told } from './clients.ts';
import type { Violate } from './index.ts';
import { checkLinear, type Operation } from './linear.ts';

/** What clients saw, judged by itself: no knowledge of blocks, votes or timestamps goes in. */
export function judgeHistory(violate: Violate, submitted: Iterable<Submitted>, told: (id: string) => Told | undefined, endMs: number): void {
  const all = [...submitted];
  const txns = all.filter(isAppending).map((each) => txnOf(each, told(each.command.id)));
  for (const { name, what } of checkAppends(txns)) violate('history', `${name}: ${what}`);
  for (const [name, operations] of operationsByKey(all, told)) {
    if (checkLinear(operations) !== 'broken') continue;
    violate('linearizability', `no order of the ${operations.length} operations on ${name} up to ${endMs} explains their answers`);
  }
}

function isAppending({ command }: Submitted): boolean {
  return command.items.some(({ path }) => nameOf(path)?.startsWith('L'));
}

function txnOf({ command, reads, atMs }: Submitted, told: Told | undefined): Txn {
  const lists = new Map<string, readonly string[]>();
  const appends = new Map<string, readonly string[]>();
  for (const { path, mode } of command.items) {
    const name = nameOf(path);
    if (!name?.startsWith('L')) continue;
    lists.set(name, reads.get(path) ?? []);
    if (mode === 'W') appends.set(name, [tokenOf(command)]);
  }
  const status = told?.outcome === 'applied' ? 'ok' : told?.outcome === 'aborted' ? 'fail' : 'info';
  return { id: command.id.slice(2, 10), status, invokeMs: atMs, completeMs: told?.atMs ?? Infinity, reads: lists, appends };
}

/** Lists and registers, each as a register that holds its last token or value. */
function operationsByKey(submitted: readonly Submitted[], told: (id: string) => Told | undefined): Map<string, Operation[]> {
  const byKey = new Map<string, Operation[]>();
  for (const { command, reads, atMs } of submitted) {
    const answer = told(command.id);
    if (answer !== undefined && answer.outcome !== 'applied') continue; // it may have failed because of another key
    const body = bodyOf(command);
    for (const { path, mode } of command.items) {
      const name = nameOf(path);
      if (name === undefined || !/^[LK]/.test(name)) continue;
      const set = mode === 'R' || body.removes.includes(path) ? null : (body.sets[path] ?? tokenOf(command));
      const operation: Operation = {
        id: command.id, kind: mode === 'R' ? 'read' : 'cas', expect: reads.get(path)?.at(-1) ?? null, set, invokeMs: atMs, completeMs: answer?.atMs ?? Infinity,
      };
      byKey.set(name, [...(byKey.get(name) ?? []), operation]);
    }
  }
  return byKey;
}
