import { traverse, type SelectStmt } from 'sqlite3-parser';
import type { Scalar } from '../../../protocol/codec/index.ts';
import { sqlFaults } from './faults.ts';

/** Numbers placeholders as SQLite does and returns them the way the driver wants them: anonymous ones, then named ones. */
export function bindingsOf(root: SelectStmt, values: readonly Scalar[]): unknown[] {
  const anonymous: Scalar[] = [];
  const named: Record<string, Scalar> = {};
  const numbers = new Map<string, number>();
  let highest = 0;
  for (const name of placeholders(root)) {
    const number = name === '?' ? highest + 1 : (numbers.get(name) ?? (/^\?\d+$/.test(name) ? Number(name.slice(1)) : highest + 1));
    highest = Math.max(highest, number);
    if (number < 1 || number > values.length) throw sqlFaults.badParameters({ placeholder: name, given: values.length });
    if (name === '?') anonymous.push(values[number - 1] as Scalar);
    else {
      numbers.set(name, number);
      named[name.slice(1)] = values[number - 1] as Scalar;
    }
  }
  if (highest !== values.length) throw sqlFaults.badParameters({ expected: highest, given: values.length });
  return numbers.size === 0 ? anonymous : [...anonymous, named];
}

function placeholders(root: SelectStmt): string[] {
  const found: { at: number; name: string }[] = [];
  traverse(root, { nodes: { VariableExpr: ({ name, span }) => void found.push({ at: span.offset, name }) } });
  return found.sort((a, b) => a.at - b.at).map(({ name }) => name);
}
