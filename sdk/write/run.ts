import { applyDdl, parseDdlScript, type Schema } from '../../protocol/schema/index.ts';
import { changeSchema, databasePath, footprintOf, schemaPath } from '../../protocol/rows/index.ts';
import { ZERO_HASH, type EntryId, type Path } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';
import type { Statement } from '../sql/statement.ts';
import { planChange, type Changed } from './change.ts';
import { commit, freshNonce, sign, submit, type Writing } from './commit.ts';
import { Draft } from './draft.ts';
import type { Known } from './known.ts';
import type { Receipt } from './receipt.ts';
import { planInsert } from './upsert.ts';

const NO_ROWS = { columns: [], rows: [] } as const;
const DDL_ATTEMPTS = 5;

/** Adds what one INSERT, UPDATE or DELETE means to the draft. */
export async function planStatement(writing: Writing, known: Known, draft: Draft, statement: Statement): Promise<Changed> {
  const { ast } = statement;
  switch (ast?.type) {
    case 'InsertStmt': return planInsert(writing, known, draft, statement, ast);
    case 'UpdateStmt': case 'DeleteStmt': return planChange(writing, known, draft, statement, ast);
    default: throw sdkFaults.unsupportedSql({ statement: ast?.type ?? statement.kind });
  }
}

/** One or more writes as one signed transaction. */
export async function runWrites(
  writing: Writing, statements: readonly Statement[],
): Promise<{ results: readonly Changed[]; receipt: Receipt | undefined }> {
  const { value, receipt } = await commit(writing, async (known) => {
    const draft = new Draft(writing.home.database);
    const results: Changed[] = [];
    for (const statement of statements) results.push(await planStatement(writing, known, draft, statement));
    return { draft, value: results };
  });
  return { results: value, receipt };
}

/** A schema change is a transaction of its own: a leader orders it, and the next version is computed by the client. */
export async function runDdl(writing: Writing, script: string): Promise<{ changed: Changed; receipt: Receipt | undefined }> {
  const statements = parseDdlScript(script);
  for (let attempt = 1; ; attempt++) {
    const { schema, version } = writing.home.current;
    const next = applyDdl(schema, statements);
    if (next === schema) return { changed: { changes: 0, returned: NO_ROWS }, receipt: undefined };
    const receipt = await submitSchema(writing, schema, version, next);
    if (receipt.outcome === 'applied') {
      writing.own.advance(receipt.timestamp);
      writing.home.advance({ schema: next, version: receipt.entryId });
      return { changed: { changes: 0, returned: NO_ROWS }, receipt };
    }
    if (attempt === DDL_ATTEMPTS) throw sdkFaults.conflict({ attempts: attempt, reason: 'the schema kept changing' });
    await writing.home.refresh(writing.own.bookmark);
  }
}

async function submitSchema(writing: Writing, schema: Schema, version: EntryId, next: Schema): Promise<Receipt> {
  const { client, home, own } = writing;
  const path = databasePath(home.database);
  const [metadata] = await client.ask('versions', { database: home.database, paths: [path], minTimestamp: own.bookmark }, ({ versions }) => versions);
  const versions = new Map<Path, EntryId>([[schemaPath(home.database), version], [path, (metadata?.version ?? ZERO_HASH) as EntryId]]);
  const input = { schema, database: home.database, writer: client.signer().address, nonce: freshNonce(), mutations: [changeSchema(next)] };
  const before = { versionOf: ({ path: at }: { path: Path }) => versions.get(at) ?? ZERO_HASH as EntryId, contentOf: () => undefined };
  const tx = await sign(client, { ...input, items: footprintOf({ ...input, before }) }, own.bookmark);
  return submit(client, tx, home.group);
}

/** True for text that is DDL in all its statements. */
export function isDdl(sql: string): boolean {
  return /^\s*(?:create|alter|drop)\b/i.test(sql);
}

