import { checkPlan, crossGroupFaults, intentPathOf, planIdOf, type Decided, type Plan } from '../../protocol/cross-group/index.ts';
import { msOf, timestampOf } from '../../protocol/hlc/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { entryIdOf, schemaPath, txIdOf } from '../../protocol/rows/index.ts';
import { compareHex, type DatabaseId, type EntryId, type Hash32, type Hex, type Timestamp } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';
import { knowingAll, type SchemaState } from '../home.ts';
import { ATTEMPTS, pause, planDraft, remember, type Writing } from './commit.ts';
import { decide, encodeDecided, type SignedPart, type SignedPlan } from './decision.ts';
import { Draft } from './draft.ts';
import { Known } from './known.ts';
import { Transaction } from './transaction.ts';

const DECIDE_WITHIN_MS = 15_000;
/** Clocks of client and group may differ by the rest (X-PREPARE). */
const MOST_WITHIN_MS = limits.planMs - 5_000;

export interface AcrossOptions {
  /** From signing to the abort by timeout: so long rows stay locked when this program dies in the middle. 15 s by default, 25 s at most. */
  readonly decideWithinMs?: number;
}

/** What proves that a transaction over several groups took effect, as it was verified. */
export interface AcrossReceipt {
  /** Name of the transaction: hash of its plan. */
  readonly plan: Hash32;
  /** When it happened, in every group; the causal token of all its databases. */
  readonly timestamp: Timestamp;
  /** Version of the rows that it wrote, by database. */
  readonly entryIds: ReadonlyMap<DatabaseId, EntryId>;
  /** Canonical CBOR of the coordinator group's decision with its receipt; verify it again with protocol/cross-group. */
  readonly proof: Hex;
}

type Work<T> = (parts: readonly Transaction[]) => Promise<T>;

/** Computes, signs and sends until all groups commit: a prepare that aborted means that a key had moved on, as in `commit`. */
export async function transactAcross<T>(
  writings: readonly Writing[], work: Work<T>, { decideWithinMs = DECIDE_WITHIN_MS }: AcrossOptions,
): Promise<{ value: T; receipt: AcrossReceipt | undefined }> {
  requireSeveral(writings);
  if (!(decideWithinMs > 0 && decideWithinMs <= MOST_WITHIN_MS)) throw sdkFaults.badParameter({ decideWithinMs, most: MOST_WITHIN_MS });
  for (let attempt = 1; ; attempt++) {
    const { value, signed } = await planAcross(writings, work, decideWithinMs);
    if (signed === undefined) return { value, receipt: undefined };
    const decided = await decide(signed);
    if (decided.verdict === 'commit') return { value, receipt: committed(signed, decided) };
    const plan = planIdOf(signed.plan);
    if (decided.verdict === 'timeout') throw sdkFaults.notOrdered({ plan, notAfterMs: msOf(signed.plan.decideBy) });
    for (const { writing, tx } of signed.parts) for (const { path } of tx.body.items) writing.own.forget(path);
    if (attempt === ATTEMPTS) throw sdkFaults.conflict({ attempts: attempt, plan });
    await pause(attempt);
    await Promise.all(writings.map(({ home }) => home.follow()));
  }
}

/** Throws CROSS_GROUP_BAD_PLAN before anything is computed. */
function requireSeveral(writings: readonly Writing[]): void {
  const groups = new Set(writings.map(({ home }) => home.group));
  const databases = new Set(writings.map(({ home }) => home.database));
  if (groups.size < 2 || databases.size < writings.length || writings.length > limits.participantsPerPlan) {
    throw crossGroupFaults.badPlan({ databases: databases.size, groups: groups.size, most: limits.participantsPerPlan });
  }
}

async function planAcross<T>(writings: readonly Writing[], work: Work<T>, withinMs: number): Promise<{ value: T; signed: SignedPlan | undefined }> {
  const knowns = writings.map(({ client, home, own }) => new Known(client, home, own, false));
  const { value, drafts, states } = await knowingAll(writings.map(({ home }) => home), () => drafted(writings, knowns, work));
  if (drafts.every(({ size }) => size === 0)) return { value, signed: undefined };
  const empty = writings[drafts.findIndex(({ size }) => size === 0)];
  if (empty !== undefined) throw sdkFaults.unwrittenPart({ database: empty.home.database });
  const plan = await planFor(writings, withinMs);
  const parts = await Promise.all(writings.map(async (writing, i): Promise<SignedPart> => {
    const joined = { mark: intentPathOf(planIdOf(plan), writing.home.database), notAfter: plan.decideBy };
    const [known, draft, state] = [knowns[i] as Known, drafts[i] as Draft, states[i] as SchemaState];
    return { writing, ...await writing.client.signing.preparing(() => planDraft(writing, known, draft, state.schema, joined)) };
  }));
  return { value, signed: { plan, parts } };
}

interface Drafted<T> {
  readonly value: T;
  readonly drafts: readonly Draft[];
  readonly states: readonly SchemaState[];
}

async function drafted<T>(writings: readonly Writing[], knowns: readonly Known[], work: Work<T>): Promise<Drafted<T>> {
  const states = writings.map(({ home }) => home.current);
  writings.forEach(({ home }, i) => knowns[i]?.learn(schemaPath(home.database), states[i]?.version as EntryId, null));
  const drafts = writings.map(({ home }) => new Draft(home.database));
  const handles = writings.map((writing, i) => new Transaction(writing, knowns[i] as Known, drafts[i] as Draft));
  try {
    return { value: await work(handles), drafts, states };
  } finally {
    for (const handle of handles) handle.close();
  }
}

async function planFor(writings: readonly Writing[], withinMs: number): Promise<Plan> {
  const participants = await Promise.all(writings.map(async ({ client, home: { database, group } }) => (
    { database, group, epoch: (await client.trust.roster(group)).epoch })));
  const [first] = writings as readonly [Writing];
  return checkPlan({
    writer: first.client.signer().address, salt: first.client.freshRequest(),
    participants: participants.toSorted((a, b) => compareHex(a.database, b.database)), decideBy: timestampOf(Date.now() + withinMs, 0, 0),
  });
}

function committed({ plan, parts }: SignedPlan, decided: Decided): AcrossReceipt {
  const entryIds = new Map<DatabaseId, EntryId>();
  for (const { writing, tx, changes } of parts) {
    const entryId = entryIdOf(txIdOf(writing.client.trust.domain, tx.header), decided.ts, tx.header.footprintRoot);
    entryIds.set(writing.home.database, entryId);
    remember(writing, { entryId, timestamp: decided.ts }, changes);
  }
  return { plan: planIdOf(plan), timestamp: decided.ts, entryIds, proof: encodeDecided(decided) };
}
