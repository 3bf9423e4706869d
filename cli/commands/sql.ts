import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { appendFileSync, existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline/promises';
import { Command } from 'commander';
import { isPicoloError } from '../../protocol/errors/index.ts';
import type { Database, Result, Row } from '../../sdk/index.ts';
import { connectFrom, openDatabase, withConnection, type ConnectionOptions } from '../connection.ts';
import { reportFailure } from '../faults.ts';
import { outputOf } from '../options.ts';
import type { Output } from '../output.ts';

const HISTORY_LINES = 500;

export function sqlCommand(): Command {
  return withConnection(new Command('sql'))
    .description('Run SQL: one statement with -c, or a shell with history. Results are verified before they are shown.')
    .option('--database <id>', 'the database (default: the local network\'s)')
    .option('-c, --command <sql>', 'run this and leave')
    .option('--as-of <time>', 'read an older state: milliseconds or an ISO date')
    .option('--assurance <level>', 'quorum (f+1 equal answers) or signed (one node)', 'quorum')
    .addHelpText('after', '\nExamples:\n  picolo sql\n  picolo sql -c "SELECT count(*) FROM notes" --json\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const picolo = await connectFrom(options as ConnectionOptions);
      const db = await openDatabase(picolo, options as ConnectionOptions);
      const asOf = options.asOf as string | undefined;
      const read = {
        assurance: options.assurance === 'signed' ? 'signed' as const : 'quorum' as const,
        ...(asOf === undefined ? {} : { asOf: /^\d+$/.test(asOf) ? Number(asOf) : new Date(asOf) }),
      };
      const run = (sql: string): Promise<Result<Row>> => (/^\s*(?:select|with|values)\b/i.test(sql) ? db.query(sql, [], read) : db.run(sql));
      if (options.command === undefined) return shell(out, db, run);
      const result = await run(options.command as string);
      show(out, result);
    });
}

function show(out: Output, result: Result<Row>): void {
  if (result.columns.length > 0) out.table(result.columns, result.map((row) => result.columns.map((column) => row[column])));
  const { assurance, nodes, changes, snapshot } = result;
  const known = assurance === 'receipt' ? `${changes} rows changed, acknowledged by a quorum` : `${result.length} rows, ${assurance} of ${nodes.length} nodes`;
  out.line(`(${known}, as of ${new Date(Number(snapshot >> 48n)).toISOString()})`);
  out.result({ columns: result.columns, rows: [...result], changes, assurance, snapshot, nodes });
}

async function shell(out: Output, db: Database, run: (sql: string) => Promise<Result<Row>>): Promise<void> {
  const file = join(homedir(), '.picolo_history');
  const history = existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean).slice(-HISTORY_LINES).reverse() : [];
  const lines = createInterface({ input: process.stdin, output: process.stdout, history, historySize: HISTORY_LINES, prompt: 'picolo> ' });
  out.line(`Database ${db.id}. End statements with ;  .tables lists tables, .quit leaves.`);
  lines.prompt();
  let statement = '';
  for await (const line of lines) {
    if (statement === '' && line.trim().startsWith('.')) {
      if (line.trim() === '.quit') break;
      await meta(out, db, line.trim());
    } else {
      statement += `${line}\n`;
      if (line.trimEnd().endsWith(';')) {
        appendFileSync(file, `${statement.trim().replaceAll('\n', ' ')}\n`, { mode: 0o600 });
        await attempt(out, () => run(statement.trim().replace(/;$/, '')));
        statement = '';
      }
    }
    prompt(lines, statement);
  }
  lines.close();
}

async function attempt(out: Output, action: () => Promise<Result<Row>>): Promise<void> {
  try {
    show(out, await action());
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    reportFailure(error, out.json); // a mistake in one statement does not end the shell
  }
}

async function meta(out: Output, db: Database, command: string): Promise<void> {
  if (command !== '.tables') return out.line('Known: .tables .quit');
  await db.refresh();
  out.table(['table', 'columns'], db.schema.tables.map((table) => [table.name, table.columns.map((column) => column.name).join(', ')]));
}

function prompt(lines: Interface, statement: string): void {
  lines.setPrompt(statement === '' ? 'picolo> ' : '   ...> ');
  lines.prompt();
}
