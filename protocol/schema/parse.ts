import { parse, type Stmt } from 'sqlite3-parser';
import { limits } from '../limits/index.ts';
import { schemaFaults } from './faults.ts';
import { columnNames, nameOf, unqualified } from './parse-names.ts';
import { columnOf, tableOf } from './parse-table.ts';
import type { DdlStatement } from './types.ts';

/*
 * `sqlite3-parser` is allowed on this floor because it is a pure function of its input: generated
 * LALR tables, no clock, randomness or I/O, so every replica reads a statement the same way.
 */

/** Parses one DDL statement; throws SCHEMA_* naming the place and what to do. */
export function parseDdl(sql: string): DdlStatement {
  const statements = parseDdlScript(sql);
  if (statements.length !== 1) throw schemaFaults.syntax({ reason: 'expected one statement', got: statements.length });
  return statements[0] as DdlStatement;
}

/** Parses a script of DDL statements. */
export function parseDdlScript(sql: string): readonly DdlStatement[] {
  if (sql.length > limits.sqlBytes) throw schemaFaults.tooLong({ length: sql.length, most: limits.sqlBytes });
  const result = parse(sql);
  if (result.status === 'ok') return result.root.cmds.map(statementOf);
  const first = result.errors[0];
  throw schemaFaults.syntax({ reason: first?.message, line: first?.span.line, column: first?.span.col, hint: first?.hints?.[0]?.message });
}

function statementOf(cmd: Stmt): DdlStatement {
  switch (cmd.type) {
    case 'CreateTableStmt': {
      if (cmd.temporary) throw schemaFaults.unsupported({ part: 'TEMPORARY tables' });
      if (cmd.body.type !== 'ColumnsAndConstraintsCreateTableBody') throw schemaFaults.unsupported({ part: 'CREATE TABLE AS SELECT' });
      return { kind: 'createTable', table: tableOf(unqualified(cmd.tblName, 'table'), cmd.body), ifNotExists: cmd.ifNotExists };
    }
    case 'CreateIndexStmt': {
      if (cmd.whereClause !== undefined) throw schemaFaults.unsupported({ part: 'partial indexes (WHERE)' });
      return {
        kind: 'createIndex', name: unqualified(cmd.idxName, 'index'), table: nameOf(cmd.tblName, 'table'),
        columns: columnNames(cmd.columns), unique: cmd.unique, ifNotExists: cmd.ifNotExists,
      };
    }
    case 'AlterTableStmt': {
      if (cmd.body.type !== 'AddColumnAlterTableBody') throw schemaFaults.unsupported({ part: 'ALTER TABLE other than ADD COLUMN' });
      const table = unqualified(cmd.tblName, 'table');
      const { column, primaryKey, unique, references } = columnOf(table, cmd.body.column);
      if (primaryKey || unique) throw schemaFaults.unsupported({ part: 'PRIMARY KEY or UNIQUE in ADD COLUMN', table, column: column.name });
      if (references.length > 1) throw schemaFaults.unsupported({ part: 'two REFERENCES in ADD COLUMN', table, column: column.name });
      return { kind: 'addColumn', table, column, reference: references[0] ?? null };
    }
    case 'DropTableStmt': return { kind: 'dropTable', name: unqualified(cmd.tblName, 'table'), ifExists: cmd.ifExists };
    case 'DropIndexStmt': return { kind: 'dropIndex', name: unqualified(cmd.idxName, 'index'), ifExists: cmd.ifExists };
    default: throw schemaFaults.notDdl({ statement: cmd.type });
  }
}
