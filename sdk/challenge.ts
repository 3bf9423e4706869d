import { isPicoloError } from '../protocol/errors/index.ts';
import { limits } from '../protocol/limits/index.ts';
import { ZERO_TIMESTAMP } from '../protocol/hlc/index.ts';
import { certifiedOrThrow, verifySampleEntry, type CertifiedCheckpoint, type Finding, type Lie, type ReadAnswer } from '../protocol/query/index.ts';
import { mayWrite } from '../protocol/rows/index.ts';
import type { Address, Hash32 } from '../protocol/types/index.ts';
import type { Client } from './client.ts';
import type { Home } from './home.ts';
import { provenanceOf } from './read/proven.ts';

export interface Challenge {
  /** Rows to ask each node for. */
  readonly count?: number;
  /** Nodes to challenge; all known ones when left out. */
  readonly urls?: readonly string[];
}

/** 'honest': every sampled row is proven. 'lied': evidence in `lies`. 'unproven': it answered, but proved less than it must. 'silent': no answer. */
export type Verdict = 'honest' | 'lied' | 'unproven' | 'silent';

export interface NodeVerdict {
  readonly url: string;
  readonly node: Address | undefined;
  readonly verdict: Verdict;
  /** Rows whose proof was checked. */
  readonly checked: number;
  /** Rows whose writer's signature was checked as well: this is what a whole colluding group cannot fake. */
  readonly signed: number;
  readonly lies: readonly Lie[];
  /** Codes of what was missing. */
  readonly faults: readonly string[];
}

export interface ChallengeReport {
  readonly height: bigint;
  readonly verdicts: readonly NodeVerdict[];
  readonly lies: readonly Lie[];
}

const DEFAULT_COUNT = 16;

/**
 * cPoQ (Picolo §6.1): random ranks below the certified row count, the same for all nodes, asked of each. A node's answer is compared
 * with the state that q replicas signed, and each row with its writer's signature, so that even a group in which all
 * collude is caught by one client.
 */
export async function challengeNodes(client: Client, home: Home, challenge: Challenge): Promise<ChallengeReport> {
  const certified = await client.ask('checkpoint', { group: home.group }, async (answer) => {
    certifiedOrThrow(await client.asker(home.group, answer.checkpoint.epoch), answer, { minHeight: 0n, minTimestamp: ZERO_TIMESTAMP });
    return answer;
  });
  const ranks = randomRanks(certified, Math.min(challenge.count ?? DEFAULT_COUNT, limits.pathsPerRead));
  const urls = challenge.urls ?? client.nodes.urls;
  const verdicts = await Promise.all(urls.map((url) => judge(client, home, url, certified, ranks)));
  return { height: certified.checkpoint.height, verdicts, lies: verdicts.flatMap(({ lies }) => lies) };
}

/** floor(random * size), the size from a signed count (P-6.1-random-index, P-6.1-unpredictable). */
function randomRanks({ detail }: CertifiedCheckpoint, count: number): bigint[] {
  if (detail.rowCount === 0n) return [];
  const random = crypto.getRandomValues(new BigUint64Array(count));
  return Array.from(random, (value) => (value * detail.rowCount) >> 64n);
}

async function judge(client: Client, home: Home, url: string, certified: CertifiedCheckpoint, ranks: readonly bigint[]): Promise<NodeVerdict> {
  const request = client.freshRequest();
  const question = {
    group: home.group, ranks, paths: [], querier: client.querier, request, minTimestamp: ZERO_TIMESTAMP, minHeight: certified.checkpoint.height,
  };
  let answer: ReadAnswer;
  try {
    answer = await client.call(url, 'poq', question);
  } catch (error) {
    return { url, node: undefined, verdict: 'silent', checked: 0, signed: 0, lies: [], faults: [codeOf(error)] };
  }
  return new Judgement(client, home, url).of(question, answer);
}

class Judgement {
  private readonly client: Client;
  private readonly home: Home;
  private readonly url: string;
  private readonly lies: Lie[] = [];
  private readonly faults: string[] = [];
  private node: Address | undefined;
  private checked = 0;
  private signed = 0;

  constructor(client: Client, home: Home, url: string) {
    this.client = client;
    this.home = home;
    this.url = url;
  }

  async of(question: { readonly ranks: readonly bigint[]; readonly request: Hash32; readonly minHeight: bigint }, answer: ReadAnswer): Promise<NodeVerdict> {
    try {
      const asker = await this.client.asker(this.home.group, answer.checkpoint.checkpoint.epoch);
      certifiedOrThrow(asker, answer.checkpoint, { minHeight: question.minHeight, minTimestamp: ZERO_TIMESTAMP });
      question.ranks.forEach((rank, i) => this.entry(answer.checkpoint, () => verifySampleEntry(asker, { ...question, rank }, answer.checkpoint, answer.entries[i])));
    } catch (error) {
      this.faults.push(codeOf(error));
    }
    for (const lie of this.lies) this.client.remember(lie);
    const verdict: Verdict = this.lies.length > 0 ? 'lied' : this.faults.length > 0 ? 'unproven' : 'honest';
    const { url, node, checked, signed, lies, faults } = this;
    return { url, node, verdict, checked, signed, lies, faults: [...new Set(faults)] };
  }

  private entry(certified: CertifiedCheckpoint, verify: () => Finding): void {
    try {
      const finding = verify();
      if (finding.kind === 'lie') {
        this.lies.push(finding.lie);
        return;
      }
      this.node = finding.node;
      this.checked += 1;
      if (finding.kind === 'present') this.writer(certified, finding);
    } catch (error) {
      this.faults.push(codeOf(error));
    }
  }

  /** Rows of this database must carry the signature of somebody who may write to it; other leaves have no writer's row. */
  private writer(certified: CertifiedCheckpoint, finding: Extract<Finding, { kind: 'present' }>): void {
    const provenance = provenanceOf(this.client, certified, finding);
    if (provenance === null) return;
    if ('lie' in provenance) {
      this.lies.push(provenance.lie);
      return;
    }
    const { database, writer } = provenance.row;
    if (database === this.home.database && !mayWrite(this.home.metadata, writer)) this.faults.push('TX_NOT_WRITER');
    this.signed += 1;
  }
}

function codeOf(error: unknown): string {
  return isPicoloError(error) ? error.code : 'unknown';
}
