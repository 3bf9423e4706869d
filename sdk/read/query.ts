import type { Scalar } from '../../protocol/codec/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { ZERO_TIMESTAMP } from '../../protocol/hlc/index.ts';
import { agreementOf, compareStatements, verifyStatement, type QueryRequest, type VerifiedStatement } from '../../protocol/query/index.ts';
import type { Address, Timestamp } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';
import type { Home } from '../home.ts';
import { worthAskingElsewhere } from '../net/nodes.ts';

/** 'quorum': f + 1 replicas signed the same result. 'signed': one did, and answers for it. */
export type QueryAssurance = 'quorum' | 'signed';

export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly Scalar[])[];
  readonly snapshot: Timestamp;
  readonly assurance: QueryAssurance;
  /** The signed statements that agree. */
  readonly proof: readonly VerifiedStatement[];
  readonly nodes: readonly Address[];
}

export interface Asked {
  readonly sql: string;
  readonly params: readonly Scalar[];
  /** Zero: the newest closed timestamp at or after `minTimestamp`. */
  readonly asOf: Timestamp;
  readonly minTimestamp: Timestamp;
  readonly assurance: QueryAssurance;
}

/** General SQL with the assurance asked for. SDK_TOO_FEW_NODES, SDK_NO_AGREEMENT, SQL_* of the node. */
export async function runQuery(client: Client, home: Home, asked: Asked): Promise<QueryResult> {
  const request: QueryRequest = {
    database: home.database, sql: asked.sql, params: asked.params, asOf: asked.asOf, minTimestamp: asked.minTimestamp, querier: client.querier,
  };
  if (asked.assurance === 'signed') {
    const statement = await client.ask('query', request, (answer) => verified(client, home, request, answer));
    return resultOf('signed', statement, [statement]);
  }
  return new QuorumQuery(client, home, request).run();
}

/** Asks f + 1 nodes at once, then the rest one by one, and the slower ones again at the newest snapshot. */
class QuorumQuery {
  private readonly client: Client;
  private readonly home: Home;
  private readonly request: QueryRequest;
  private readonly statements: VerifiedStatement[] = [];
  private readonly answeredBy: { node: Address; url: string }[] = [];
  private lastFault: unknown;

  constructor(client: Client, home: Home, request: QueryRequest) {
    this.client = client;
    this.home = home;
    this.request = request;
  }

  async run(): Promise<QueryResult> {
    const { replicas } = await this.client.trust.roster(this.home.group);
    const needed = agreementOf(replicas.length);
    const spare = [...this.client.nodes.urls];
    await this.askAll(spare.splice(0, needed), this.request);
    for (;;) {
      const agreed = this.agreed(needed);
      if (agreed !== undefined) return agreed;
      const outcome = compareStatements(this.statements, needed);
      if (outcome.kind === 'open' && outcome.snapshot > ZERO_TIMESTAMP && await this.align(outcome.snapshot, needed)) continue;
      const next = spare.shift();
      if (next === undefined) throw this.failure(needed);
      await this.askAll([next], this.request);
    }
  }

  private agreed(needed: number): QueryResult | undefined {
    const outcome = compareStatements(this.statements, needed);
    if (outcome.kind !== 'agreed') return undefined;
    for (const lie of outcome.lies) this.client.remember(lie);
    const { statement } = outcome.result;
    const same = this.statements.filter((other) => other.snapshot === statement.snapshot && other.statement.resultHash === statement.resultHash);
    return resultOf('quorum', outcome.result, same);
  }

  /** Brings everybody who answered to one snapshot; false when all are there already. */
  private async align(snapshot: Timestamp, needed: number): Promise<boolean> {
    const there = new Set(this.statements.filter((statement) => statement.snapshot === snapshot).map(({ node }) => node));
    const behind = this.answeredBy.filter(({ node }) => !there.has(node));
    if (behind.length === 0 || this.statements.length > 4 * needed + this.client.nodes.urls.length) return false;
    const before = this.statements.length;
    await this.askAll(behind.map(({ url }) => url), { ...this.request, asOf: snapshot });
    return this.statements.length > before;
  }

  private async askAll(urls: readonly string[], request: QueryRequest): Promise<void> {
    await Promise.all(urls.map(async (url) => {
      try {
        const statement = await verified(this.client, this.home, request, await this.client.call(url, 'query', request));
        this.statements.push(statement);
        if (!this.answeredBy.some(({ node }) => node === statement.node)) this.answeredBy.push({ node: statement.node, url });
      } catch (error) {
        if (!worthAskingElsewhere(error)) throw error;
        this.lastFault = error;
      }
    }));
  }

  private failure(needed: number): unknown {
    const nodes = new Set(this.statements.map(({ node }) => node)).size;
    if (nodes >= needed) {
      const { lies } = compareStatements(this.statements, needed);
      for (const lie of lies) this.client.remember(lie);
      return sdkFaults.noAgreement({ nodes, needed, lies: lies.length });
    }
    if (nodes === 0 && this.lastFault !== undefined) return this.lastFault;
    const last = isPicoloError(this.lastFault) ? this.lastFault.code : undefined;
    return sdkFaults.tooFewNodes({ nodes, needed, known: this.client.nodes.urls.length, last }, this.lastFault);
  }
}

async function verified(client: Client, home: Home, request: QueryRequest, answer: Parameters<typeof verifyStatement>[2]): Promise<VerifiedStatement> {
  const asker = await client.asker(home.group, answer.statement.epoch);
  return verifyStatement(asker, request, answer);
}

function resultOf(assurance: QueryAssurance, { columns, rows, snapshot }: VerifiedStatement, proof: readonly VerifiedStatement[]): QueryResult {
  return { columns, rows, snapshot, assurance, proof, nodes: [...new Set(proof.map(({ node }) => node))] };
}
