import type { Scalar } from '../codec/index.ts';
import { DICTIONARY_ENTITY, type Dictionary, type ExportedEntity } from './dictionary.ts';
import { matchTerm, type Named, type Quality } from './keywords.ts';
import type { Condition, Query, Term } from './query.ts';

/** A query in the words of one schema. */
export interface Reformulation {
  readonly table: string;
  /** Per asked column the local column, null where this schema has none; the statement returns NULL there. */
  readonly columns: readonly (string | null)[];
  readonly sql: string;
  readonly params: readonly Scalar[];
  /** Mean quality of the word matches, in (0, 1]. */
  readonly quality: Quality;
}

interface Match {
  readonly column: string | null;
  readonly quality: Quality;
}

/**
 * Rewrites a query of keywords for another schema (P-5.4.1-reformulate). Every condition must find a
 * column, and at least one asked column must exist: otherwise strangers' rows would come back
 * unfiltered or empty. Only exported names can appear in the statement.
 * @param limit most rows the statement may return
 * @returns undefined when no exported entity matches
 */
export function reformulate(query: Query, dictionary: Dictionary, limit: number): Reformulation | undefined {
  let best: Reformulation | undefined;
  for (const entity of dictionary.entities) {
    const candidate = reformulateFor(query, entity, limit);
    if (candidate !== undefined && (best === undefined || candidate.quality > best.quality)) best = candidate;
  }
  return best;
}

/** True when the query asks for the dictionary itself. */
export function asksForDictionary(query: Query): boolean {
  return query.entity[0] === DICTIONARY_ENTITY;
}

function reformulateFor(query: Query, entity: ExportedEntity, limit: number): Reformulation | undefined {
  const entityQuality = matchTerm(query.entity, entity);
  if (entityQuality === 0) return undefined;
  const selected = query.select.length === 0
    ? entity.columns.map(({ name }) => ({ column: name, quality: 1 }))
    : query.select.map((term) => bestColumn(term, entity.columns));
  const filtered = query.where.map(({ term }) => bestColumn(term, entity.columns));
  if (selected.every(({ column }) => column === null) || filtered.some(({ column }) => column === null)) return undefined;
  const columns = selected.map(({ column }) => column);
  const { where, params } = whereOf(query.where, filtered);
  const list = columns.map((column) => (column === null ? 'NULL' : quote(column))).join(', ');
  return {
    table: entity.name,
    columns,
    sql: `SELECT ${list} FROM ${quote(entity.name)}${where} LIMIT ?`,
    params: [...params, BigInt(limit)],
    quality: (entityQuality + mean([...selected, ...filtered])) / 2,
  };
}

/** Highest quality wins; of equals the one declared first, so that two nodes with one dictionary agree. */
function bestColumn(term: Term, columns: readonly Named[]): Match {
  let best: Match = { column: null, quality: 0 };
  for (const column of columns) {
    const quality = matchTerm(term, column);
    if (quality > best.quality) best = { column: column.name, quality };
  }
  return best;
}

function whereOf(conditions: readonly Condition[], matches: readonly Match[]): { where: string; params: Scalar[] } {
  const params: Scalar[] = [];
  const parts = conditions.map(({ op, values }, i) => {
    params.push(...values);
    const column = quote((matches[i] as Match).column as string);
    if (op === 'is null' || op === 'is not null') return `${column} ${op.toUpperCase()}`;
    if (op === 'in' || op === 'not in') return `${column} ${op.toUpperCase()} (${values.map(() => '?').join(', ')})`;
    return `${column} ${op.toUpperCase()} ?`;
  });
  return { where: parts.length === 0 ? '' : ` WHERE ${parts.join(' AND ')}`, params };
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function mean(matches: readonly Match[]): Quality {
  return matches.reduce((sum, { quality }) => sum + quality, 0) / matches.length;
}

/** Words shared by two dictionaries over words of either: 0 strangers … 1 the same topic. */
export function similarity(a: ReadonlySet<string>, b: ReadonlySet<string>): Quality {
  if (a.size === 0 || b.size === 0) return 0;
  let shared = 0;
  for (const word of a) if (b.has(word)) shared += 1;
  return shared / (a.size + b.size - shared);
}
