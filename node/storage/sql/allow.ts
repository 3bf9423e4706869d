import { parseStmt, traverse, type AstNode, type SelectStmt } from 'sqlite3-parser';
import { limits } from '../../../protocol/limits/index.ts';
import { sqlFaults } from './faults.ts';
import { allowedFunctions, tableFunctions } from './functions.ts';

/** Everything a SELECT may consist of. What is not named here is refused, new grammar included. */
const allowedNodes: ReadonlySet<string> = new Set([
  'SelectStmt', 'Select', 'SelectFrom', 'SelectValues', 'ValuesRow', 'CompoundSelect', 'With', 'CommonTableExpr', 'IndexedColumn',
  'ExprResultColumn', 'StarResultColumn', 'TableStarResultColumn', 'AsAs', 'ElidedAs', 'FromClause', 'JoinedSelectTable',
  'TableSelectTable', 'TableCallSelectTable', 'SelectSelectTable', 'SubSelectTable', 'CommaJoinOperator', 'TypedJoinJoinOperator',
  'OnJoinConstraint', 'UsingJoinConstraint', 'Limit', 'SortedColumn', 'Window', 'WindowDef', 'WindowOver', 'NameOver', 'FunctionTail', 'FrameClause',
  'CurrentRowFrameBound', 'FollowingFrameBound', 'PrecedingFrameBound', 'UnboundedFollowingFrameBound', 'UnboundedPrecedingFrameBound',
  'BetweenExpr', 'BinaryExpr', 'BlobLiteral', 'CaseExpr', 'WhenThen', 'CastExpr', 'Type', 'TypeSizeTypeSize', 'MaxSizeTypeSize', 'CollateExpr',
  'ExistsExpr', 'FunctionCallExpr', 'FunctionCallStarExpr', 'SortListFunctionCallOrder', 'Id', 'InListExpr', 'InSelectExpr', 'InTableExpr',
  'IsNullExpr', 'KeywordLiteral', 'LikeExpr', 'Name', 'NameExpr', 'NotNullExpr', 'NullLiteral', 'NumericLiteral', 'ParenthesizedExpr',
  'QualifiedExpr', 'QualifiedName', 'StringLiteral', 'SubqueryExpr', 'UnaryExpr', 'VariableExpr',
]);

const clockNodes: ReadonlySet<string> = new Set(['CurrentDateLiteral', 'CurrentTimeLiteral', 'CurrentTimestampLiteral']);

/**
 * First gate: `sql` is exactly one SELECT made of allowed parts. SQLite's authorizer never sees VACUUM,
 * EXPLAIN or text after a semicolon, so those end here (docs/decisions/0024).
 * @throws SQL_SYNTAX, SQL_NOT_SELECT, SQL_FORBIDDEN, SQL_FORBIDDEN_FUNCTION, SQL_CLOCK, SQL_TOO_LONG
 */
export function parseSelect(sql: string): SelectStmt {
  if (Buffer.byteLength(sql) > limits.sqlBytes) throw sqlFaults.tooLong({ maxBytes: limits.sqlBytes });
  if (sql.includes('\u0000')) throw sqlFaults.syntax({ reason: 'a zero byte ends the statement for SQLite' });
  const parsed = parseStmt(sql);
  if (parsed.status === 'error') {
    const first = parsed.errors[0];
    throw sqlFaults.syntax({ reason: first?.message, line: first?.span.line, column: first?.span.col });
  }
  const { root } = parsed;
  if (root.type !== 'SelectStmt') throw sqlFaults.notSelect({ statement: root.type.replace(/Stmt$/, '') });
  traverse(root, { enter: (node) => checkNode(node) });
  return root;
}

function checkNode(node: AstNode): void {
  if (clockNodes.has(node.type)) throw sqlFaults.clock({ literal: node.type.replace(/Literal$/, '') });
  if (!allowedNodes.has(node.type)) throw sqlFaults.forbidden({ part: node.type });
  switch (node.type) {
    case 'QualifiedName':
      if (node.dbName !== undefined) throw sqlFaults.forbidden({ part: `${node.dbName.text}.${node.objName.text}` });
      checkName(node.objName.text);
      return;
    case 'QualifiedExpr':
      if (node.schema !== undefined) throw sqlFaults.forbidden({ part: `${node.schema.text}.` });
      return;
    case 'TableCallSelectTable':
      return checkTableFunction(node.tblName.objName.text);
    case 'InTableExpr':
      if (node.args !== undefined) checkTableFunction(node.rhs.objName.text);
      return;
    case 'CollateExpr':
      if (!/^"?(?:binary|nocase|rtrim)"?$/i.test(node.collation)) throw sqlFaults.forbidden({ part: `COLLATE ${node.collation}` });
      return;
    case 'FunctionCallExpr':
    case 'FunctionCallStarExpr':
      if (!allowedFunctions.has(node.name.name.toLowerCase())) throw sqlFaults.forbiddenFunction({ name: node.name.name });
      return;
    default:
  }
}

/** SQLite's own tables; the second gate does not know any of them, this one says so clearly. */
function checkName(name: string): void {
  if (/^(?:sqlite_|pragma_|dbstat$|bytecode$|tables_used$)/i.test(name)) throw sqlFaults.forbidden({ part: name });
}

function checkTableFunction(name: string): void {
  if (!tableFunctions.has(name.toLowerCase())) throw sqlFaults.forbiddenFunction({ name });
}
