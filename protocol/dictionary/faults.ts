import { defineFaults } from '../errors/index.ts';

export const dictionaryFaults = defineFaults('DICTIONARY', {
  badName: ['a table, column or keyword cannot be exported under this name', 'use 1 to 63 characters and no leading underscore'],
  twice: ['the same table or column is exported twice', 'export it once, with all its keywords'],
  tooLarge: ['the dictionary is larger than the limit', 'export fewer entities, columns or keywords'],
  noColumns: ['an exported table has no exported column', 'export at least one column or leave the table out'],
  badRows: ['the rows are not a dictionary', 'ask the node for its dictionary again'],
  badSql: ['the query is not valid SQL', 'write SELECT column, column FROM entity WHERE column = ? AND ...'],
  unsupported: [
    'a network query is one SELECT of plain columns from one entity with simple conditions joined by AND',
    'simplify the query and do the rest on the rows that come back',
  ],
  badParameters: ['the parameters do not fit the query', 'give one value for every ? in the query'],
  badQuery: ['the structured query is out of bounds', 'name an entity and use the documented operators and limits'],
});
