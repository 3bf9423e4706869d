import Database from 'better-sqlite3';
import { sqlFaults } from './faults.ts';
import { clockFunctions } from './functions.ts';

/**
 * Puts SQLite's date functions behind a check: dates given as arguments are computed as ever, the
 * machine's clock is refused, however the word is put together. `localtime` is UTC because the
 * child process runs with TZ=UTC.
 */
export function installClockFunctions(database: Database.Database): void {
  const native = new Database(':memory:');
  const statements = new Map<string, Database.Statement<unknown[], unknown>>();
  for (const name of clockFunctions) {
    database.function(name, { deterministic: true, varargs: true, safeIntegers: true }, (...values: unknown[]) => {
      refuseNow(name, values);
      const key = `${name}/${values.length}`;
      let statement = statements.get(key);
      if (statement === undefined) {
        statement = native.prepare<unknown[], unknown>(`SELECT ${name}(${values.map(() => '?').join(', ')})`).pluck().safeIntegers();
        statements.set(key, statement);
      }
      return statement.get(...values);
    });
  }
}

function refuseNow(name: string, values: readonly unknown[]): void {
  const moments = name === 'strftime' ? values.slice(1) : values;
  const asks = moments.length === 0 || moments.some((value) => isNow(value));
  if (asks) throw sqlFaults.clock({ function: name });
}

/** SQLite reads blobs as text here, and takes the word in any case. */
function isNow(value: unknown): boolean {
  const text = value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value;
  return typeof text === 'string' && /^\s*now\s*(?:\0|$)/i.test(text);
}
