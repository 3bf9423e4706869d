import type { Select } from 'sqlite3-parser';

/**
 * Makes the order of a result total: after the user's own ORDER BY terms come all columns. Replicas
 * hold the same rows in different places (history, snapshots), and only a total order makes their
 * answers, and what LIMIT cuts off, equal byte by byte. SQLite drops the terms that an index
 * or a unique key already decides.
 */
export function totalOrder(sql: string, select: Select, columns: number): string {
  if (select.select.type === 'SelectValues' && select.compounds === undefined) return sql; // its order is written in it
  const positions = Array.from({ length: columns }, (_, i) => i + 1).join(',');
  const last = select.orderBy?.at(-1);
  if (last !== undefined) return inserted(sql, last.span.offset + last.span.length, `,${positions}`);
  const at = select.limit?.span.offset ?? select.span.offset + select.span.length;
  return inserted(sql, at, ` ORDER BY ${positions} `);
}

function inserted(sql: string, at: number, text: string): string {
  return sql.slice(0, at) + text + sql.slice(at);
}
