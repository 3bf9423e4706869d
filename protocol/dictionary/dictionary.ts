import { list, record, text, type Codec, type Scalar } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { dictionaryFaults as faults } from './faults.ts';
import { matchTerm, normalise, singular, type Named } from './keywords.ts';
import type { Query, Term } from './query.ts';

export interface ExportedEntity extends Named {
  readonly columns: readonly Named[];
}

/**
 * What a data provider shows of its schema, and all that strangers can name. A table or column that is
 * not in here cannot be selected, filtered on, or learned about (P-5.4.1-private).
 */
export interface Dictionary {
  readonly entities: readonly ExportedEntity[];
}

/** Table -> its keywords and, per exported column, the column's keywords. */
export type Exports = Readonly<Record<string, {
  readonly keywords?: readonly string[];
  readonly columns: Readonly<Record<string, readonly string[]>>;
}>>;

const nameC = text(limits.identifierBytes);
const keywordsC = list(text(limits.keywordBytes), limits.keywordsPerName);
const columnC = record({ name: nameC, keywords: keywordsC });
const shape = record({
  entities: list(record({ name: nameC, keywords: keywordsC, columns: list(columnC, limits.columnsPerTable) }), limits.dictionaryEntities),
});

/** Canonical bytes of a dictionary; decoding applies every rule of `defineDictionary`. */
export const dictionaryC: Codec<Dictionary> = {
  toCbor: (dictionary) => shape.toCbor(dictionary),
  fromCbor: (raw) => checked(shape.fromCbor(raw)),
};

/** @throws DICTIONARY_BAD_NAME, DICTIONARY_TWICE, DICTIONARY_NO_COLUMNS, DICTIONARY_TOO_LARGE */
export function defineDictionary(exports: Exports): Dictionary {
  return checked({
    entities: Object.entries(exports).map(([name, { keywords = [], columns }]) => ({
      name,
      keywords,
      columns: Object.entries(columns).map(([column, words]) => ({ name: column, keywords: words })),
    })),
  });
}

/** The reserved entity under which every node serves its dictionary to peers (P-5.4.1-dictionary). */
export const DICTIONARY_ENTITY = '_dictionary';

/** The question for a node's dictionary; ask it with no hops. */
export function dictionaryQuery(): Query {
  return { entity: [DICTIONARY_ENTITY], select: [], where: [] };
}

export const dictionaryColumns = ['entity', 'column', 'keywords'] as const;

/** The table of Picolo §5.4.1 as rows: entity, column (null for the entity itself), keywords separated by commas. */
export function rowsOfDictionary(dictionary: Dictionary): Scalar[][] {
  return dictionary.entities.flatMap((entity) => [
    [entity.name, null, entity.keywords.join(',')],
    ...entity.columns.map((column) => [entity.name, column.name, column.keywords.join(',')]),
  ]);
}

/** Inverse of `rowsOfDictionary`. Throws DICTIONARY_BAD_ROWS and what `defineDictionary` throws. */
export function dictionaryOfRows(rows: readonly (readonly Scalar[])[]): Dictionary {
  const entities = new Map<string, { name: string; keywords: string[]; columns: Named[] }>();
  for (const [entity, column, words] of rows) {
    if (typeof entity !== 'string' || typeof words !== 'string') throw faults.badRows();
    const keywords = words === '' ? [] : words.split(',');
    const open = entities.get(entity);
    if (column === null && open === undefined) entities.set(entity, { name: entity, keywords, columns: [] });
    else if (typeof column === 'string' && open !== undefined) open.columns.push({ name: column, keywords });
    else throw faults.badRows({ entity });
  }
  return checked({ entities: [...entities.values()] });
}

/** Adds to each word of a query the synonyms that the asker's own dictionary declares for it. */
export function expand(query: Query, own: Dictionary): Query {
  const entity = own.entities.find((candidate) => matchTerm(query.entity, candidate) > 0);
  if (entity === undefined) return query;
  const widen = (term: Term): Term => {
    const column = entity.columns.find((candidate) => matchTerm(term, candidate) > 0);
    return column === undefined ? term : wider(term, column);
  };
  return {
    entity: wider(query.entity, entity),
    select: query.select.map(widen),
    where: query.where.map((condition) => ({ ...condition, term: widen(condition.term) })),
  };
}

/** Every normalised word by which a dictionary's things are called. */
export function wordsOf(dictionary: Dictionary): Set<string> {
  const things = dictionary.entities.flatMap((entity) => [entity, ...entity.columns]);
  return new Set(things.flatMap((thing) => [thing.name, ...thing.keywords]).map((word) => singular(normalise(word))));
}

function wider(term: Term, target: Named): Term {
  return [...new Set([...term, target.name, ...target.keywords])].slice(0, limits.keywordsPerName + 1);
}

function checked(dictionary: Dictionary): Dictionary {
  if (dictionary.entities.length > limits.dictionaryEntities) throw faults.tooLarge({ entities: dictionary.entities.length });
  checkNames(dictionary.entities);
  for (const entity of dictionary.entities) {
    if (entity.columns.length === 0) throw faults.noColumns({ table: entity.name });
    if (entity.columns.length > limits.columnsPerTable) throw faults.tooLarge({ table: entity.name });
    checkNames(entity.columns);
  }
  return dictionary;
}

function checkNames(things: readonly Named[]): void {
  const seen = new Set<string>();
  for (const { name, keywords } of things) {
    if (name === '' || name.startsWith('_') || name.length > limits.identifierBytes) throw faults.badName({ name });
    if (seen.has(name.toLowerCase())) throw faults.twice({ name });
    seen.add(name.toLowerCase());
    if (keywords.length > limits.keywordsPerName) throw faults.tooLarge({ name, keywords: keywords.length });
    for (const word of keywords) {
      if (normalise(word) === '' || word.includes(',') || word.length > limits.keywordBytes) throw faults.badName({ keyword: word });
    }
  }
}
