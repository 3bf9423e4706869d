import { constants, DatabaseSync } from 'node:sqlite';
import { sqliteDdl, type Schema } from '../../../protocol/schema/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { sqlFaults } from './faults.ts';
import { allowedFunctions, tableFunctions } from './functions.ts';

/** Second gate: throws SQL_* unless SQLite itself agrees that the statement reads only what it may. */
export interface Mirror {
  check(sql: string): void;
  close(): void;
}

/**
 * An empty in-memory copy of one schema with an authorizer that allows reads of its tables and listed
 * functions. It catches what the parser understands differently from SQLite. It is never the
 * file itself: two copies of SQLite in one process would drop each other's locks.
 */
export function createMirror(schema: Schema): Mirror {
  const database = new DatabaseSync(':memory:', { limits: bounds });
  for (const sql of sqliteDdl(schema)) database.exec(sql);
  const tables = new Set([...schema.tables.map(({ name }) => name.toLowerCase()), ...tableFunctions]);
  let refusal: string | undefined;
  database.setAuthorizer((action, first, second, schemaName) => {
    refusal ??= refusalOf(action, first, second, schemaName, tables);
    return refusal === undefined ? constants.SQLITE_OK : constants.SQLITE_DENY;
  });
  return {
    check(sql) {
      refusal = undefined;
      try {
        database.prepare(sql);
      } catch (error) {
        if (refusal !== undefined) throw sqlFaults.forbidden({ part: refusal });
        throw sqlFaults.refused({ reason: error instanceof Error ? error.message : 'unknown' });
      }
    },
    close: () => database.close(),
  };
}

const bounds = {
  attach: 0,
  sqlLength: limits.sqlBytes * 2, // the total order is added behind the first gate
  column: limits.columnsPerTable * 4,
  exprDepth: limits.expressionDepth,
  compoundSelect: limits.compoundSelects,
  functionArg: 127,
  variableNumber: limits.queryParameters,
  triggerDepth: 1,
};

/** What is refused, in words; undefined when the access is fine. */
function refusalOf(
  action: number, first: string | null, second: string | null, schemaName: string | null, tables: ReadonlySet<string>,
): string | undefined {
  switch (action) {
    case constants.SQLITE_SELECT:
    case constants.SQLITE_RECURSIVE:
      return undefined;
    case constants.SQLITE_READ:
      // without a schema it is a CTE or a subquery; a name of SQLite's own never has none and is no table of ours
      if (schemaName === null) return /^(?:sqlite_|pragma_)/i.test(first ?? '') ? `table ${first}` : undefined;
      return schemaName === 'main' && tables.has((first ?? '').toLowerCase()) ? undefined : `table ${schemaName}.${first}`;
    case constants.SQLITE_FUNCTION:
      return allowedFunctions.has((second ?? '').toLowerCase()) ? undefined : `function ${second}`;
    default:
      return `action ${action}`;
  }
}
