import { defineFaults } from '../errors/index.ts';

export const schemaFaults = defineFaults('SCHEMA', {
  syntax: ['the statement is not valid SQL', 'correct it at the place named'],
  notDdl: [
    'the statement does not change the schema',
    'use CREATE TABLE, CREATE INDEX, ALTER TABLE ADD COLUMN, DROP TABLE or DROP INDEX',
  ],
  unsupported: ['this part of SQL is not supported in a schema', 'leave it out; docs/LIMITS.md lists what is supported'],
  badName: ['the name is not allowed', 'use a letter, then letters, digits and underscores, at most 63; sqlite_ is reserved'],
  badType: ['the column type is not known', 'use INTEGER, REAL, TEXT, BLOB, BOOLEAN or TIMESTAMP'],
  badDefault: ['the default is not a literal of the column type', 'give a literal of that type, or fill the value in the application'],
  noPrimaryKey: ['the table has no primary key', 'declare one PRIMARY KEY; rows are found, signed and proven by it'],
  duplicate: ['the name is taken', 'choose another name or drop the old one first'],
  unknownTable: ['there is no such table', 'check the spelling, or create the table first'],
  unknownColumn: ['there is no such column in the table', 'check the spelling'],
  unknownIndex: ['there is no such index', 'check the spelling; the index of a UNIQUE constraint goes with its table'],
  badReference: [
    'the foreign key does not match a key of the parent table',
    'reference its primary key or a UNIQUE key, same types, same number',
  ],
  stillReferenced: ['another table refers to it by a foreign key', 'drop the referring table first'],
  uniqueOnExisting: [
    'a unique index can only be made together with its table: no transaction can prove that existing rows have no duplicates',
    'declare it in the transaction that creates the table, or copy the rows into a new table',
  ],
  columnNeedsDefault: ['a column added to a table must be nullable or have a default', 'add a DEFAULT or leave out NOT NULL'],
  tooMany: ['the schema exceeds a limit', 'see docs/LIMITS.md'],
  tooLong: ['the statement is longer than the limit', 'split it'],
  badRow: ['the stored schema cannot be read', 'send the row that schemaRow produces'],
  badTransition: ['the new schema does not follow from the old one', 'build it with applyDdl from the current schema'],
});

export const rowFaults = defineFaults('ROW', {
  wrongType: ['the value does not have the type of its column', 'send a value of the column type; numbers never stand for text'],
  outOfRange: ['the number is outside the range of its column', 'integers are signed 64-bit, reals are finite, booleans are 0 or 1'],
  missing: ['the column is NOT NULL and has no value', 'give a value'],
  wrongWidth: ['the row does not have as many values as the table has columns', 'give every column a value, null included'],
  notCanonical: ['the row ends with defaults of added columns', 'leave them off (trimRow)'],
  tooLong: ['the value is longer than the limit', 'store it as a blob outside the row, or split it'],
  badText: ['the text is not well-formed Unicode', 'remove lone surrogates'],
  keyTooLong: ['the key is longer than the limit', 'use a shorter key or index a shorter column'],
  keyMismatch: ['the key is not the primary key of the row', 'send the primary key values of the row as its key'],
  unknownTable: ['there is no such table in the schema the transaction names', 'refresh the schema and rebuild the transaction'],
  unknownColumn: ['the table has no such column', 'check the spelling'],
});
