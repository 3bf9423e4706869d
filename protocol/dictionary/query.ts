import { choice, list, record, scalar, text, type Codec, type Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { dictionaryFaults as faults } from './faults.ts';

/** Words for one thing: the word the asker used first, then the synonyms the asker declares for it. */
export type Term = readonly string[];

/** `is null` and `is not null` take no value, `in` and `not in` any number, all others exactly one. */
export const operators = ['=', '<>', '<', '<=', '>', '>=', 'like', 'not like', 'in', 'not in', 'is null', 'is not null'] as const;
export type Operator = (typeof operators)[number];

export interface Condition {
  readonly term: Term;
  readonly op: Operator;
  readonly values: readonly Scalar[];
}

/** What is asked of strangers' schemas: keywords, not column names. All conditions must hold. */
export interface Query {
  readonly entity: Term;
  /** Empty asks for every exported column. */
  readonly select: readonly Term[];
  readonly where: readonly Condition[];
}

const termC = list(text(limits.keywordBytes), limits.keywordsPerName + 1);
const conditionC = record({ term: termC, op: choice(operators), values: list(scalar, limits.queryConditions) });
const shape = record({
  entity: termC,
  select: list(termC, limits.columnsPerTable),
  where: list(conditionC, limits.queryConditions),
});

/** Canonical form of a query inside GET. Throws CODEC_* and DICTIONARY_BAD_QUERY. */
export const queryC: Codec<Query> = {
  toCbor: (query) => shape.toCbor(checkQuery(query)),
  fromCbor: (raw) => checkQuery(shape.fromCbor(raw)),
};

/** Returns the query, or throws DICTIONARY_BAD_QUERY when its parts do not fit together. */
export function checkQuery(query: Query): Query {
  if (query.entity.length === 0) throw faults.badQuery({ part: 'entity' });
  if (query.select.some((term) => term.length === 0)) throw faults.badQuery({ part: 'select' });
  for (const { term, op, values } of query.where) {
    if (term.length === 0 || !valuesFit(op, values.length)) throw faults.badQuery({ part: 'where', op, values: values.length });
  }
  return query;
}

function valuesFit(op: Operator, count: number): boolean {
  if (op === 'is null' || op === 'is not null') return count === 0;
  return op === 'in' || op === 'not in' ? count > 0 : count === 1;
}
