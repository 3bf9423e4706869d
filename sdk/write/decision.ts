import { decode, encode } from '../../protocol/codec/index.ts';
import { decodeReceipt } from '../../protocol/consensus/index.ts';
import {
  coordinatorOf, decidedC, encodeCrossGroupMessage, encodePayload, isDecided, planIdOf, preparedAs,
  type CrossGroupMessage, type Decided, type Plan, type Prepared, type ProofParts,
} from '../../protocol/cross-group/index.ts';
import { msOf } from '../../protocol/hlc/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { encodeTransaction, txIdOf } from '../../protocol/rows/index.ts';
import { bytesOf, hexOf, type Address, type DatabaseId, type Epoch, type GroupId, type Hex } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';
import type { Signed, Writing } from './commit.ts';
import { isUncertain } from './settle.ts';

const POLL_MS = 50;
/** Beyond `decideBy`: for the clocks of the groups, for their finishers to abort, and for the blocks of that. */
const PATIENCE_MS = 10_000;

/** One database of the transaction. */
export interface SignedPart extends Signed {
  readonly writing: Writing;
}

export interface SignedPlan {
  readonly plan: Plan;
  readonly parts: readonly SignedPart[];
}

/** What one attempt knows: the proofs that arrived, the rosters they are checked with, and what makes waiting vain. */
interface Attempt extends SignedPlan {
  readonly proofs: Map<DatabaseId, Prepared>;
  readonly rosters: Map<string, readonly Address[]>;
  refused: unknown;
  /** Nothing more is sent. */
  over: boolean;
}

/**
 * Prepares every part in its group, carries the proofs to the coordinator group and the decision to all others. What is returned
 * was proven by the coordinator group's certificates. Throws SDK_UNDECIDED, and what a node says about a part that cannot be prepared.
 */
export async function decide(signed: SignedPlan): Promise<Decided> {
  const attempt: Attempt = { ...signed, proofs: new Map(), rosters: new Map(), refused: undefined, over: false };
  const { plan, parts } = attempt;
  for (const { group, epoch, database } of plan.participants) await learnRoster(attempt, clientOf(attempt, database), group, epoch);
  for (const part of parts) void prepare(attempt, part).catch((error: unknown) => (attempt.refused ??= error));
  try {
    return await decisionOn(attempt);
  } finally {
    attempt.over = true;
  }
}

async function decisionOn(attempt: Attempt): Promise<Decided> {
  const { plan, parts } = attempt;
  const untilMs = msOf(plan.decideBy) + PATIENCE_MS;
  for (let round = 0; Date.now() < untilMs; round++) {
    if (attempt.refused !== undefined) throw attempt.refused;
    const decided = isRipe(attempt) ? await carryProofs(attempt, round).catch(() => undefined) : undefined;
    if (decided !== undefined) {
      await tellOthers(attempt, decided);
      return decided;
    }
    await later(POLL_MS);
  }
  throw sdkFaults.undecided({ plan: planIdOf(plan), prepared: attempt.proofs.size, parts: parts.length });
}

export function encodeDecided(decided: Decided): Hex {
  return hexOf(encode(decidedC, decided));
}

/** From one gateway after the other until one proves what the group did; again and again, for a prepare is executed once. */
async function prepare(attempt: Attempt, { writing: { client, home }, tx }: SignedPart): Promise<void> {
  const { plan, proofs } = attempt;
  const { database, group } = home;
  const part = txIdOf(client.trust.domain, tx.header);
  const payload = hexOf(encodePayload({ kind: 'prepare', plan, database, part: encodeTransaction(tx) }));
  while (!attempt.over && Date.now() < msOf(plan.decideBy)) {
    try {
      proofs.set(database, await client.ask('prepare', { group, payload }, ({ outcome, receipt }) => {
        const proof = { database, part, receipt: decodeReceipt(bytesOf(receipt)) };
        const proven = preparedAs(proofPartsOf(attempt, client), plan, proof);
        if (proven !== outcome) throw sdkFaults.badReceipt({ part, reason: `the signatures prove ${proven ?? 'nothing'}`, told: outcome });
        return proof;
      }));
      return;
    } catch (error) {
      if (!isUncertain(error)) throw error;
      await later(POLL_MS);
    }
  }
}

/** The coordinator group can decide by now, as far as it is up to this client. */
function isRipe({ plan, parts, proofs }: Attempt): boolean {
  const aborted = [...proofs.values()].some(({ receipt }) => receipt.kind === 'classic' && receipt.outcome === 'aborted');
  return aborted || proofs.size === parts.length || (proofs.size > 0 && Date.now() > msOf(plan.decideBy));
}

/** All proofs to one node, the next round to the next: so none can hide the decision. */
async function carryProofs(attempt: Attempt, round: number): Promise<Decided | undefined> {
  const { plan, proofs } = attempt;
  const { database, group } = coordinatorOf(plan);
  const client = clientOf(attempt, database);
  const { urls } = client.nodes;
  const url = urls[round % urls.length] as string;
  for (const proof of proofs.values()) {
    const { decided } = await client.call(url, 'carry', { group, message: encoded({ kind: 'prepared', plan, proof }) });
    if (decided !== '0x') return provenDecision(attempt, client, decided);
  }
  return undefined;
}

async function provenDecision(attempt: Attempt, client: Client, told: Hex): Promise<Decided> {
  const decided = decode(decidedC, bytesOf(told), limits.frameBytes);
  const epoch = decided.receipt.kind === 'classic' ? decided.receipt.headers[0]?.epoch : undefined;
  if (epoch !== undefined) await learnRoster(attempt, client, coordinatorOf(attempt.plan).group, epoch);
  if (isDecided(proofPartsOf(attempt, client), attempt.plan, decided)) return decided;
  throw sdkFaults.badReceipt({ plan: planIdOf(attempt.plan), reason: 'the decision is not proven' });
}

/** So that the other groups need not wait until they hear it from the coordinator group. Nothing depends on it. */
async function tellOthers({ plan, parts }: Attempt, decided: Decided): Promise<void> {
  const message = encoded({ kind: 'decided', plan, decided });
  const others = parts.map(({ writing }) => writing).filter(({ home }) => home.group !== coordinatorOf(plan).group);
  const told = others.flatMap(({ client, home: { group } }) => client.nodes.urls.map((url) => client.call(url, 'carry', { group, message })));
  await Promise.allSettled(told);
}

/** A database may live where only its own client knows nodes. */
function clientOf({ parts }: Attempt, database: DatabaseId): Client {
  return (parts.find(({ writing }) => writing.home.database === database) as SignedPart).writing.client;
}

async function learnRoster({ rosters }: Attempt, client: Client, group: GroupId, epoch: Epoch): Promise<void> {
  const name = `${group}/${epoch}`;
  if (!rosters.has(name)) rosters.set(name, (await client.trust.roster(group, epoch)).replicas);
}

function proofPartsOf({ rosters }: Pick<Attempt, 'rosters'>, client: Client): ProofParts {
  return {
    domain: client.trust.domain, base: client.verifier,
    groups: { roster: (group, epoch) => rosters.get(`${group}/${epoch}`), currentEpoch: () => undefined },
  };
}

function encoded(message: CrossGroupMessage): Hex {
  return hexOf(encodeCrossGroupMessage(message));
}

function later(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
