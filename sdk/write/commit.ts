import { isPicoloError } from '../../protocol/errors/index.ts';
import { timestampOf } from '../../protocol/hlc/index.ts';
import {
  buildTransaction, footprintOf, keysNeeded, planOf, schemaPath, txIdOf,
  type Before, type KeyRef, type Mutation, type PlanInput, type SignedTransaction,
} from '../../protocol/rows/index.ts';
import type { Row } from '../../protocol/schema/index.ts';
import { compareHex, ZERO_HASH, type EntryId, type GroupId, type Item, type Path, type Timestamp } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';
import type { Home } from '../home.ts';
import type { Draft } from './draft.ts';
import { Known } from './known.ts';
import type { OwnWrites } from './own-writes.ts';
import { provenReceipt, type Receipt } from './receipt.ts';
import { isUncertain, settle } from './settle.ts';

/** How often a transaction that others overtook is computed anew. */
export const ATTEMPTS = 8;
const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;
/** A transaction that no replica ordered by then never will be. */
const LIFE_MS = 30_000;

/** Where and as whom a session writes. */
export interface Writing {
  readonly client: Client;
  readonly home: Home;
  readonly own: OwnWrites;
}

/**
 * Computes, signs and sends a transaction until it is applied: an abort means that a key had moved on, so the
 * computation runs again on fresh rows, after a growing random pause, a bounded number of times (SDK_CONFLICT).
 * @param build fills the draft of one attempt; nothing is sent when it leaves it empty
 */
export async function commit<T>(writing: Writing, build: Build<T>): Promise<{ value: T; receipt: Receipt | undefined }> {
  for (let attempt = 1; ; attempt++) {
    const early = attempt === 1 ? await planEarly(writing, build) : undefined;
    const { value, plan } = early ?? await planOver(writing, new Known(writing.client, writing.home, writing.own, false), build);
    if (plan === undefined) return { value, receipt: undefined };
    const receipt = await submit(writing.client, plan.tx, writing.home.group);
    if (receipt.outcome === 'applied') {
      remember(writing, receipt, plan.changes);
      return { value, receipt };
    }
    for (const { path } of plan.tx.body.items) writing.own.forget(path);
    if (attempt === ATTEMPTS) throw sdkFaults.conflict({ attempts: attempt, rows: plan.changes.length });
    await pause(attempt);
    await writing.home.follow(); // a schema that moved on is the one reason for an abort that new row versions do not cure
  }
}

type Build<T> = (known: Known) => Promise<{ draft: Draft; value: T }>;

interface Planned<T> {
  readonly value: T;
  /** Undefined when there is nothing to send. */
  readonly plan: Signed | undefined;
}

/**
 * The first attempt does not wait for nodes that are behind this session. What they say about keys of the footprint is checked when
 * the write commits; whatever else would hang on it (a row that seems absent, a condition that seems false) is computed again
 * over nodes that caught up: undefined.
 */
async function planEarly<T>(writing: Writing, build: Build<T>): Promise<Planned<T> | undefined> {
  const known = new Known(writing.client, writing.home, writing.own, true);
  try {
    const planned = await planOver(writing, known, build);
    const checked = new Set(planned.plan?.tx.body.items.map(({ path }) => path));
    return [...known.doubtful].every((path) => checked.has(path)) ? planned : undefined;
  } catch (error) {
    if (known.doubtful.size === 0) throw error;
    return undefined;
  }
}

async function planOver<T>(writing: Writing, known: Known, build: Build<T>): Promise<Planned<T>> {
  const { draft, value, schema } = await writing.home.knowing(async () => {
    const { schema: current, version } = writing.home.current;
    known.learn(schemaPath(writing.home.database), version, null);
    return { ...await build(known), schema: current };
  });
  const plan = draft.size === 0 ? undefined : await writing.client.signing.preparing(() => planDraft(writing, known, draft, schema));
  return { value, plan };
}

export interface Signed {
  readonly tx: SignedTransaction;
  readonly changes: readonly { readonly ref: KeyRef; readonly content: Row | null }[];
}

/** What makes a transaction the part of one over several groups (X-PART). */
export interface Joined {
  readonly mark: Path;
  readonly notAfter: Timestamp;
}

/** Footprint and signature. An INSERT is first planned without asking whether its keys are free: its footprint says so. */
export async function planDraft(writing: Writing, known: Known, draft: Draft, schema: PlanInput['schema'], joined?: Joined): Promise<Signed> {
  const { client, home } = writing;
  const wallet = client.signer();
  const input = { schema, database: home.database, writer: wallet.address, nonce: freshNonce(), mutations: draft.mutations() };
  const compute = (before: Before): { items: readonly Item[]; changes: Signed['changes'] } => {
    askAtOnce({ ...input, before });
    requireFresh(draft, before, home);
    return { items: footprintOf({ ...input, before, reads: draft.reads }), changes: planOf({ ...input, before }).changes };
  };
  const planned = known.optimistic
    ? await known.resolve(compute, (ref) => isFreeByIntent(draft, ref)).catch((error: unknown) => {
      if (!isPicoloError(error) || !error.code.startsWith('TX_')) throw error;
      return known.resolve(compute, () => false); // a guess may be the reason: ask
    })
    : await known.resolve(compute, () => false);
  const mark: Item[] = joined === undefined ? [] : [{ path: joined.mark, version: ZERO_HASH as EntryId, mode: 'W' }];
  const items = [...planned.items, ...mark].toSorted((a, b) => compareHex(a.path, b.path));
  return { tx: await sign(client, { ...input, items }, writing.own.bookmark, joined?.notAfter), changes: planned.changes };
}

/** Names every key the plan will ask for before the plan stops at the first one that looks wrong: two rounds of reading, not one per key. */
function askAtOnce(input: PlanInput): void {
  for (const ref of keysNeeded(input)) {
    input.before.versionOf(ref);
    if (ref.index.startsWith('fk:')) input.before.contentOf(ref);
  }
}

/** True for the keys of a new row: the row itself and its entries in unique indexes. Counters of references are never guessed. */
function isFreeByIntent(draft: Draft, { path, table, index }: KeyRef): boolean {
  if (index === '') return draft.at(path)?.fresh === true;
  if (index.startsWith('fk:')) return false;
  const touched = [...draft.all.values()].filter((intent) => intent.table.name === table);
  return touched.length > 0 && touched.every((intent) => intent.fresh);
}

function requireFresh(draft: Draft, before: Before, home: Home): void {
  for (const [path, intent] of draft.all) {
    if (!intent.fresh) continue;
    const ref = { path, table: intent.table.name, index: '', key: intent.key };
    if (before.versionOf(ref) !== ZERO_HASH) throw sdkFaults.alreadyExists({ table: intent.table.name, database: home.database, path });
  }
}

export async function sign(
  client: Client, input: Omit<PlanInput, 'before' | 'schema'> & { readonly schema: { readonly version: number }; readonly items: readonly Item[] }, snapshot: Timestamp,
  notAfter = timestampOf(Date.now() + LIFE_MS, 0, 0),
): Promise<SignedTransaction> {
  const { database, writer, nonce, mutations, items } = input;
  const draft = buildTransaction({
    database, writer, nonce, schemaVersion: input.schema.version, snapshot: snapshot < notAfter ? snapshot : (0n as Timestamp), notAfter,
    mutations: mutations as Mutation[], items, backpointers: [],
  });
  return { ...draft, signature: await client.signing.sign(draft.header) };
}

/**
 * Sends it to one gateway after the other: the same transaction is executed once, wherever it arrives. When none tells the outcome
 * it is found out from the state, so that a retry never writes twice.
 */
export async function submit(client: Client, transaction: SignedTransaction, group: GroupId): Promise<Receipt> {
  const txId = txIdOf(client.trust.domain, transaction.header);
  try {
    return await client.ask('submit', { transaction, group }, (answer) => provenReceipt(client, txId, transaction, answer, group));
  } catch (error) {
    if (!isUncertain(error)) throw error;
    return settle(client, transaction, group, error);
  }
}

export function remember({ own }: Writing, receipt: Pick<Receipt, 'entryId' | 'timestamp'>, changes: Signed['changes']): void {
  own.advance(receipt.timestamp);
  for (const { ref, content } of changes) own.wrote(ref.path as Path, content === null ? ZERO_HASH as EntryId : receipt.entryId, content);
}

/** Random in 64 bits: writers need no shared counter, and a repeat is an ordinary conflict. */
export function freshNonce(): bigint {
  return crypto.getRandomValues(new BigUint64Array(1))[0] as bigint;
}

export async function pause(attempt: number): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempt);
  await new Promise((resolve) => setTimeout(resolve, longest * (0.5 + Math.random() / 2)));
}
