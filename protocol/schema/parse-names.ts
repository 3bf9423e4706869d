import type { Expr, Name, QualifiedName, SortedColumn } from 'sqlite3-parser';
import { schemaFaults } from './faults.ts';
import { checkedName } from './names.ts';

/** The name of a table or index, checked; `main.` and other databases are refused. */
export function unqualified(name: QualifiedName, what: string): string {
  if (name.dbName !== undefined) {
    throw schemaFaults.unsupported({ part: 'names with a database in front', name: name.dbName.text.slice(0, 80) });
  }
  return nameOf(name.objName, what);
}

export function nameOf(name: Name, what: string): string {
  return checkedName(name.text, what);
}

/** Plain columns only: the order of an index is the order of its key encoding, read in both directions. */
export function columnNames(columns: readonly SortedColumn[]): readonly string[] {
  return columns.map(({ expr, order, nulls }) => {
    const sorted = order === 'Desc' || nulls !== undefined;
    if (sorted) throw schemaFaults.unsupported({ part: 'DESC and NULLS in keys: an index is read in both directions' });
    return plainColumn(expr);
  });
}

function plainColumn(expr: Expr): string {
  if (expr.type !== 'Id') throw schemaFaults.unsupported({ part: 'expressions and COLLATE in keys' });
  return expr.name;
}
