import { isPicoloError } from '../protocol/errors/index.ts';
import { ZERO_TIMESTAMP } from '../protocol/hlc/index.ts';
import { certifiedOrThrow, contradictionIn, queryFaults, verifyRootList, type CertifiedCheckpoint, type Lie, type RootsAnswer } from '../protocol/query/index.ts';
import type { Address, GroupId } from '../protocol/types/index.ts';
import type { Verdict } from './challenge.ts';
import type { Client } from './client.ts';

export interface AuditVerdict {
  readonly url: string;
  readonly node: Address | undefined;
  /** 'honest': no certificate contradicts its list. 'unproven': a height is disputed and nobody showed its certificate, or the list is of no use. */
  readonly verdict: Verdict;
  /** Heights in its list. */
  readonly listed: number;
  /** Those that were compared with a certificate. */
  readonly checked: number;
  /** Code of what was missing. */
  readonly fault: string | undefined;
}

export interface AuditReport {
  readonly verdicts: readonly AuditVerdict[];
  readonly lies: readonly Lie[];
}

/** A list full of lies is convicted by one of them; it must not keep the client busy. */
const MOST_FETCHED = 16;

interface Listed {
  readonly url: string;
  readonly node: Address;
  readonly answer: RootsAnswer;
}

type Outcome = Listed | { readonly url: string; readonly fault: string };

/**
 * Signed lists of several nodes, compared with the certificates that the client has met in answers and, where two lists differ,
 * with the certificate of that height, which any honest member has.
 */
export async function auditNodes(client: Client, group: GroupId, urls: readonly string[] = client.nodes.urls): Promise<AuditReport> {
  await newestOf(client, group);
  const outcomes = await Promise.all(urls.map((url) => listOf(client, group, url)));
  const lists = outcomes.filter((outcome): outcome is Listed => 'answer' in outcome);
  const known = new Set(client.certificatesOf(group).map(({ checkpoint }) => placeOf(checkpoint.epoch, checkpoint.height)));
  const unknown = disputed(lists).filter(({ epoch, height }) => !known.has(placeOf(epoch, height)));
  for (const { height } of unknown.slice(0, MOST_FETCHED)) await fetchCertificate(client, group, height);
  const certificates = client.certificatesOf(group);
  const shown = new Set(certificates.map(({ checkpoint }) => placeOf(checkpoint.epoch, checkpoint.height)));
  const open = new Set(unknown.map(({ epoch, height }) => placeOf(epoch, height)).filter((place) => !shown.has(place)));
  const lies: Lie[] = [];
  const verdicts = outcomes.map((outcome) => {
    if (!('answer' in outcome)) return { url: outcome.url, node: undefined, verdict: 'silent', listed: 0, checked: 0, fault: outcome.fault } as const;
    const { verdict, lie } = judge(outcome, certificates, open);
    if (lie !== undefined) lies.push(lie);
    return verdict;
  });
  for (const lie of lies) client.remember(lie);
  return { verdicts, lies };
}

/** The newest certificate, so that there is one that lists can be compared with. */
function newestOf(client: Client, group: GroupId): Promise<void> {
  return client.ask('checkpoint', { group }, async (answer) => {
    certifiedOrThrow(await client.asker(group, answer.checkpoint.epoch), answer, { minHeight: 0n, minTimestamp: ZERO_TIMESTAMP });
  });
}

async function listOf(client: Client, group: GroupId, url: string): Promise<Outcome> {
  try {
    const request = client.freshRequest();
    const answer = await client.call(url, 'roots', { group, querier: client.querier, request });
    return { url, node: verifyRootList(await client.asker(group, answer.list.epoch), request, answer), answer };
  } catch (error) {
    return { url, fault: isPicoloError(error) ? error.code : 'unknown' };
  }
}

interface Place {
  readonly epoch: bigint;
  readonly height: bigint;
}

const placeOf = (epoch: bigint, height: bigint): string => `${epoch}/${height}`;

/** Heights for which two lists of one epoch have different roots, the newest first. */
function disputed(lists: readonly Listed[]): Place[] {
  const first = new Map<string, string>();
  const out = new Map<string, Place>();
  for (const { answer: { list: { epoch }, roots } } of lists) {
    for (const { height, stateRoot } of roots) {
      const place = placeOf(epoch, height);
      const known = first.get(place);
      if (known === undefined) first.set(place, stateRoot);
      else if (known !== stateRoot) out.set(place, { epoch, height });
    }
  }
  return [...out.values()].sort((a, b) => (a.height > b.height ? -1 : 1));
}

/** The client remembers the certificate if some node shows it. */
async function fetchCertificate(client: Client, group: GroupId, height: bigint): Promise<void> {
  const check = async (certified: CertifiedCheckpoint): Promise<void> => {
    certifiedOrThrow(await client.asker(group, certified.checkpoint.epoch), certified, { minHeight: height, minTimestamp: ZERO_TIMESTAMP });
    if (certified.checkpoint.height !== height) throw queryFaults.unbound({ field: 'height', got: certified.checkpoint.height, expected: height });
  };
  await client.ask('certificate', { group, height }, check).catch(() => undefined); // nobody has it: the height stays open
}

function judge({ url, node, answer }: Listed, certificates: readonly CertifiedCheckpoint[], open: ReadonlySet<string>): { verdict: AuditVerdict; lie: Lie | undefined } {
  const heights = new Set(answer.roots.map(({ height }) => height));
  const relevant = certificates.filter(({ checkpoint }) => checkpoint.epoch === answer.list.epoch && heights.has(checkpoint.height));
  const lie = relevant.map((certified) => contradictionIn(node, answer, certified)).find((found) => found !== undefined);
  const undecided = answer.roots.some(({ height }) => open.has(placeOf(answer.list.epoch, height)));
  const verdict: Verdict = lie !== undefined ? 'lied' : undecided ? 'unproven' : 'honest';
  return {
    verdict: { url, node, verdict, listed: heights.size, checked: relevant.length, fault: undecided ? 'API_HISTORY_GONE' : undefined }, lie,
  };
}
