/**
 * The schema dictionary (Picolo §5.4.1): what a data provider shows of its schema, with the keywords under
 * which strangers may ask for it. A query names things by keywords; `reformulate` rewrites it for a
 * schema that calls them differently, and can only ever name what its provider exported. Dictionaries
 * also say which nodes are near in meaning: the semantic group of Definition 6.1.
 *
 * @example
 *   const dictionary = defineDictionary({ people: { keywords: ['user'], columns: { ln: ['lastname'], town: ['city'] } } });
 *   const { query } = parseQuery('SELECT lastname FROM users WHERE city = ?', ['Oslo']);
 *   reformulate(query, dictionary, 20)?.sql;    // SELECT "ln" FROM "people" WHERE "town" = ? LIMIT ?
 */
export { dictionaryFaults } from './faults.ts';
export { checkQuery, operators, queryC, type Condition, type Operator, type Query, type Term } from './query.ts';
export { matchTerm, normalise, singular, type Named, type Quality } from './keywords.ts';
export {
  DICTIONARY_ENTITY, defineDictionary, dictionaryC, dictionaryColumns, dictionaryOfRows, dictionaryQuery, expand, rowsOfDictionary, wordsOf,
  type Dictionary, type ExportedEntity, type Exports,
} from './dictionary.ts';
export { parseQuery, type ParsedQuery } from './parse.ts';
export { asksForDictionary, reformulate, similarity, type Reformulation } from './reformulate.ts';
export { semanticGroup, type Member } from './groups.ts';
