import { parseStmt, tokenize, type Token } from 'sqlite3-parser';
import { timestampOf } from '../../../protocol/hlc/index.ts';
import type { Timestamp } from '../../../protocol/types/index.ts';
import { sqlFaults } from './faults.ts';

export interface SplitQuery {
  /** Plain SQLite: the clause replaced by blanks, so places in error messages still fit. */
  readonly sql: string;
  readonly asOf: Timestamp | undefined;
}

const MOST_CLAUSES = 64;
const MS_BITS = 48n;

/**
 * Takes `AS OF <point>` out of a query (Picolo §5.3.2; P-5.3.2-time-travel). The clause is looked for only where SQLite's
 * grammar stops, so a column alias named `of`, or the words inside a string, stay what they are.
 * It may follow any table; all points must agree, because a query has one snapshot.
 * @throws SQL_BAD_AS_OF
 */
export function splitAsOf(sql: string): SplitQuery {
  let rest = sql;
  let asOf: Timestamp | undefined;
  for (let i = 0; i < MOST_CLAUSES; i++) {
    const parsed = parseStmt(rest);
    if (parsed.status === 'ok') break;
    const stop = parsed.errors[0]?.token;
    const clause = stop === undefined ? undefined : clauseAt(rest, stop.span.offset);
    if (clause === undefined) break; // an ordinary mistake: the first gate names it
    const point = pointOf(clause.point.text);
    if (asOf !== undefined && asOf !== point) throw sqlFaults.badAsOf({ first: asOf, second: point });
    asOf = point;
    rest = rest.slice(0, clause.start) + ' '.repeat(clause.end - clause.start) + rest.slice(clause.end);
  }
  return { sql: rest, asOf };
}

interface Clause {
  readonly start: number;
  readonly end: number;
  readonly point: Token;
}

/** The parser stops at AS, or at the point when `AS OF` could still be an alias. */
function clauseAt(sql: string, offset: number): Clause | undefined {
  const tokens = tokensOf(sql);
  const stop = tokens.findIndex((token) => token.span.offset === offset);
  for (const first of [stop, stop - 1, stop - 2]) {
    const [as, of, point] = [tokens[first], tokens[first + 1], tokens[first + 2]];
    if (as === undefined || of === undefined || point === undefined) continue;
    if (as.text.toLowerCase() !== 'as' || of.text.toLowerCase() !== 'of') continue;
    return { start: as.span.offset, end: point.span.offset + point.span.length, point };
  }
  return undefined;
}

function tokensOf(sql: string): Token[] {
  const out: Token[] = [];
  for (const token of tokenize(sql)) if (!/^(?:\s+|--.*|\/\*[^]*)$/.test(token.text) && token.text !== '') out.push(token);
  return out;
}

/** Milliseconds (below 2^48) mean everything that happened in them; larger numbers are timestamps; text is ISO 8601, UTC by default. */
function pointOf(text: string): Timestamp {
  if (/^\d{1,29}$/.test(text)) {
    const value = BigInt(text);
    return value < 1n << MS_BITS ? endOfMs(Number(value)) : (value as Timestamp);
  }
  const iso = /^'(\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})?)?)'$/i.exec(text);
  const ms = iso === null ? Number.NaN : Date.parse((iso[1] as string).replace(' ', 'T') + (iso[2] === undefined && text.length > 12 ? 'Z' : ''));
  if (!Number.isFinite(ms) || ms < 0) throw sqlFaults.badAsOf({ point: text.slice(0, 40) });
  return endOfMs(ms);
}

function endOfMs(ms: number): Timestamp {
  return timestampOf(ms, 0xffff, 0xffff_ffff);
}
