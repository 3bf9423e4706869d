import { invariant } from '../errors/index.ts';
import { emptySchema, type Row, type Schema } from '../schema/index.ts';
import { ZERO_HASH, type EntryId, type Item, type Path } from '../types/index.ts';
import type { Before } from './before.ts';
import { mayChangeSchema, mayWrite, type DatabaseMetadata } from './database.ts';
import { txFaults } from './faults.ts';
import { planOf } from './footprint.ts';
import { pathOf, type KeyRef } from './path.ts';
import type { Plan } from './plan-builder.ts';
import { createdDatabase, schemaRef } from './reserved.ts';
import { isSchemaChange, type SignedTransaction } from './transaction.ts';
import { refusalOf, type Refusal } from './verify.ts';

/**
 * What a replica can look up. Everything but the metadata (which never changes) is asked for by version, so
 * the verdict is a property of the transaction alone and equal on every replica that can answer.
 */
export interface StateView {
  /** Metadata of the transaction's database; undefined when it is not known here. */
  metadata(): DatabaseMetadata | undefined;
  schemaAt(version: EntryId): Schema | undefined;
  /** Content of a key as the entry `version` wrote it; undefined when it is not known here. */
  contentAt(ref: KeyRef, version: EntryId): Row | undefined;
}

/**
 * Whether a transaction that passed `verifyTransaction` may execute, given the versions its items name
 * (P-6-signed-ops, P-1-typed, consensus §2.2): signer allowed, rows typed, footprint complete, unique keys
 * and references kept. 'unresolved' = something it builds on is not here yet. Never throws for bad input.
 */
export function checkTransaction(tx: SignedTransaction, view: StateView): 'valid' | Refusal | 'unresolved' {
  const planned = planTransaction(tx, view);
  return planned === 'unresolved' || 'fault' in planned ? planned : 'valid';
}

/**
 * The same, and of a valid transaction all that it uses and changes: an engine need not find it out again.
 * @param mark key that joins a part to its transaction over several groups (X-PART); the only use without a row
 */
export function planTransaction(tx: SignedTransaction, view: StateView, mark?: Path): Plan | Refusal | 'unresolved' {
  let plan: Plan | undefined;
  const verdict = refusalOf(() => {
    checkSigner(tx, view);
    const declared = new Map(tx.body.items.map((item) => [item.path, item]));
    plan = planDeclared(tx, view);
    compare(plan, declared, mark);
  });
  if (verdict !== 'valid') return verdict.fault.code === 'TX_UNRESOLVED' ? 'unresolved' : verdict;
  invariant(plan !== undefined, 'valid-transaction-has-a-plan');
  return plan;
}

/**
 * Content that a valid transaction writes at a key, for building on it before it is executed; undefined
 * when it leaves the key absent or does not write it. Throws TX_UNRESOLVED.
 */
export function contentWrittenBy(tx: SignedTransaction, path: Path, view: StateView): Row | undefined {
  for (const mutation of tx.body.mutations) {
    if (pathOf(tx.header.database, mutation.table, '', mutation.key) === path) return mutation.kind === 'put' ? mutation.row : undefined;
  }
  return planDeclared(tx, view).changes.find(({ ref }) => ref.path === path)?.content ?? undefined;
}

function planDeclared({ header, body }: SignedTransaction, view: StateView): Plan {
  const { database, writer, nonce } = header;
  const before = declaredBefore(body.items, view);
  const schema = schemaBefore(before.versionOf(schemaRef(database)), view);
  if (schema.version !== header.schemaVersion) throw txFaults.schemaVersion({ named: header.schemaVersion, actual: schema.version });
  return planOf({ schema, database, writer, nonce, mutations: body.mutations, before });
}

/** State as the items name it; asking for a key they do not name is a gap in the footprint. */
function declaredBefore(items: readonly Item[], view: StateView): Before {
  const versions = new Map(items.map(({ path, version }) => [path, version]));
  const versionOf = (ref: KeyRef): EntryId => {
    const version = versions.get(ref.path);
    if (version === undefined) throw txFaults.footprintGap({ table: ref.table, index: ref.index, path: ref.path });
    return version;
  };
  return { versionOf, contentOf: (ref) => view.contentAt(ref, versionOf(ref)) };
}

function schemaBefore(version: EntryId, view: StateView): Schema {
  const schema = version === ZERO_HASH ? emptySchema : view.schemaAt(version);
  if (schema === undefined) throw txFaults.unresolved({ table: '_schema', version });
  return schema;
}

function checkSigner({ header, body }: SignedTransaction, view: StateView): void {
  const { writer, database } = header;
  const created = createdDatabase(body.mutations);
  const metadata = created ?? view.metadata();
  if (metadata === undefined) throw txFaults.unresolved({ table: '_database', database });
  if (created !== undefined && created.owner !== writer) throw txFaults.notOwner({ writer, owner: created.owner });
  if (!isSchemaChange(body.mutations)) {
    if (!mayWrite(metadata, writer)) throw txFaults.notWriter({ writer, database });
  } else if (!mayChangeSchema(metadata, writer, created !== undefined)) {
    throw txFaults.notOwner({ writer, owner: metadata.owner, policy: metadata.schemaPolicy });
  }
}

/** Every use declared in its mode; more reads are the client's own, more writes would lock keys for nothing. */
function compare({ uses }: Plan, declared: ReadonlyMap<Path, Item>, mark: Path | undefined): void {
  for (const [path, { ref, mode }] of uses) {
    const item = declared.get(path);
    if (item === undefined) throw txFaults.footprintGap({ table: ref.table, index: ref.index, path });
    if (item.mode !== mode) throw txFaults.footprintMode({ table: ref.table, index: ref.index, path, expected: mode });
  }
  for (const { path, mode } of declared.values()) if (mode === 'W' && path !== mark && !uses.has(path)) throw txFaults.footprintExtra({ path });
}
