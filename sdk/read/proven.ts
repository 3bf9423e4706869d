import { isPicoloError } from '../../protocol/errors/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import {
  verifyRangeAnswer, verifyRead, type CertifiedCheckpoint, type Finding, type Lie, type RangeRow, type ReadAnswer,
} from '../../protocol/query/index.ts';
import { verifyRowProof, type ProvenRow } from '../../protocol/rows/index.ts';
import { wordOf, hexOf, type DatabaseId, type GroupId, type Hash32, type Path, type Timestamp } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';

/** The certified checkpoint that an answer was proven against. */
export interface Standing {
  readonly group: GroupId;
  readonly height: bigint;
  readonly closeTs: Timestamp;
  readonly stateRoot: Hash32;
}

/** A finding that is no lie, with the certificate it stands on. */
export type Truth = Exclude<Finding, { kind: 'lie' }> & { readonly certified: CertifiedCheckpoint };

interface Place {
  readonly database: DatabaseId;
  readonly group: GroupId;
}

/**
 * Proven rows and absences of keys, in their order. Lies are kept as evidence and the next node is asked;
 * a node that is behind is asked last.
 */
export async function readProven(
  client: Client, { database, group }: Place, paths: readonly Path[], asked: { readonly minTimestamp: Timestamp; readonly provenance?: boolean },
): Promise<{ truths: Truth[]; at: Standing | undefined }> {
  const truths: Truth[] = [];
  let at: Standing | undefined;
  for (let i = 0; i < paths.length; i += limits.pathsPerRead) {
    const some = paths.slice(i, i + limits.pathsPerRead);
    const question = {
      database, paths: some, keys: [], querier: client.querier, request: client.freshRequest(), minTimestamp: asked.minTimestamp, minHeight: 0n,
      provenance: asked.provenance ?? false,
    };
    const part = await client.ask('read', question, async (answer) => ({ truths: await truthsIn(client, group, question, answer), at: standingOf(answer) }));
    truths.push(...part.truths);
    at = part.at;
  }
  return { truths, at };
}

async function truthsIn(
  client: Client, group: GroupId, question: { paths: readonly Path[]; request: Hash32; minTimestamp: Timestamp; minHeight: bigint }, answer: ReadAnswer,
): Promise<Truth[]> {
  const asker = await client.asker(group, answer.checkpoint.checkpoint.epoch);
  const findings = verifyRead(asker, question, answer);
  return findings.map((finding) => (finding.kind === 'lie' ? client.accuse(finding.lie) : { ...finding, certified: answer.checkpoint }));
}

export function standingOf({ checkpoint }: Pick<ReadAnswer, 'checkpoint'>): Standing {
  const { group, height, stateRoot } = checkpoint.checkpoint;
  return { group, height, closeTs: checkpoint.detail.closeTs, stateRoot };
}

/** What a row's provenance says: who signed it, or the lie that nobody did; null when the node no longer keeps it. */
export function provenanceOf(
  client: Client, certified: CertifiedCheckpoint, finding: Extract<Finding, { kind: 'present' }>,
): { readonly row: ProvenRow } | { readonly lie: Lie } | null {
  const { provenance, answer, signature, proof } = finding.entry;
  if (provenance === null) return null;
  try {
    return { row: verifyRowProof(client.trust.domain, finding.path, finding.rowHash, provenance) };
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    return { lie: { kind: 'forged-row', node: finding.node, answer, signature, certified, proof, provenance } };
  }
}

/** All leaves between two paths at one checkpoint, proven complete; at most `limit` rows. SDK_MOVED_ON when the checkpoint went away. */
export async function rangeProven(
  client: Client, place: Place, from: Path, to: Path, asked: { readonly minTimestamp: Timestamp; readonly limit: number },
): Promise<ProvenRange> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rangeOnce(client, place, from, to, asked);
    } catch (error) {
      const gone = isPicoloError(error) && (error.code === 'API_HISTORY_GONE' || error.code === 'SDK_MOVED_ON');
      if (!gone || attempt === RANGE_ATTEMPTS) throw error;
    }
  }
}

export interface ProvenRange {
  readonly rows: readonly RangeRow[];
  /** False when `limit` cut it. */
  readonly complete: boolean;
  readonly at: Standing;
}

const RANGE_ATTEMPTS = 3;

async function rangeOnce(
  client: Client, place: Place, from: Path, to: Path, asked: { readonly minTimestamp: Timestamp; readonly limit: number },
): Promise<ProvenRange> {
  const rows: RangeRow[] = [];
  let at: Standing | undefined;
  for (let next: Path = from; ;) {
    const limit = Math.min(limits.rangeRows, asked.limit - rows.length);
    const page: RangePage = await rangePage(client, place, { from: next, to, limit, minTimestamp: asked.minTimestamp, at });
    rows.push(...page.rows);
    at = page.at;
    const following = page.complete ? undefined : after(page.through);
    if (following === undefined) return { rows, complete: true, at };
    if (rows.length >= asked.limit) return { rows, complete: false, at };
    next = following;
  }
}

interface RangePage {
  readonly rows: readonly RangeRow[];
  readonly complete: boolean;
  readonly through: Path;
  readonly at: Standing;
}

async function rangePage(
  client: Client, { database, group }: Place,
  asked: { readonly from: Path; readonly to: Path; readonly limit: number; readonly minTimestamp: Timestamp; readonly at: Standing | undefined },
): Promise<RangePage> {
  const { from, to, limit, minTimestamp } = asked;
  const atHeight = asked.at?.height ?? 0n;
  const question = {
    database, from, to, limit, querier: client.querier, request: client.freshRequest(), minTimestamp, minHeight: atHeight, atHeight,
  };
  return client.ask('range', question, async (answer) => {
    const asker = await client.asker(group, answer.checkpoint.checkpoint.epoch);
    const { rows, complete, through } = verifyRangeAnswer(asker, question, answer);
    const at = standingOf(answer);
    // pages of two checkpoints are no range of either
    if (asked.at !== undefined && at.height !== atHeight) throw sdkFaults.movedOn({ height: at.height, expected: atHeight });
    return { rows, complete, through, at };
  });
}

function after(path: Path): Path | undefined {
  const next = BigInt(path) + 1n;
  return next >> 256n === 0n ? hexOf(wordOf(next)) as Path : undefined;
}
