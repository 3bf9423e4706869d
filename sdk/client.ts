import { hexOf, ZERO_ADDRESS, type Address, type Epoch, type GroupId, type Hash32 } from '../protocol/types/index.ts';
import { checkpointDigestOf, verifyCertificate, type CertifiedCheckpoint } from '../protocol/membership/index.ts';
import type { AnswerOf, Asker, Lie, OperationName, RequestOf } from '../protocol/query/index.ts';
import { verifierOf, type Verifier } from '../protocol/consensus/index.ts';
import { sdkFaults } from './errors.ts';
import { isPaymentRequired, type Payer } from './keys/payment.ts';
import type { Wallet } from './keys/wallet.ts';
import type { Nodes } from './net/nodes.ts';
import type { Trust } from './net/trust.ts';
import { BatchSigner } from './write/batch-signer.ts';
import type { LocalSql } from './write/local-sql.ts';

/** How whole numbers come back: 'number' gives bigint only beyond 2^53. */
export type IntegerMode = 'number' | 'bigint';

const REMEMBERED_CERTIFICATES = 256;
const REMEMBERED_LIES = 1000;

/** What every part of the SDK shares: nodes, trust, keys, and the lies met so far. */
export class Client {
  readonly nodes: Nodes;
  readonly trust: Trust;
  readonly wallet: Wallet | undefined;
  readonly payer: Payer | undefined;
  readonly localSql: LocalSql | undefined;
  readonly integers: IntegerMode;
  readonly lies: Lie[] = [];
  /** Checks each signature once: rows and commits that were signed together share their acknowledgements. */
  readonly verifier: Verifier;
  private readonly batchSigner: BatchSigner | undefined;
  private readonly certain = new Map<string, CertifiedCheckpoint>();

  constructor(parts: {
    readonly nodes: Nodes; readonly trust: Trust; readonly wallet: Wallet | undefined; readonly payer: Payer | undefined;
    readonly localSql: LocalSql | undefined; readonly integers: IntegerMode;
  }) {
    this.nodes = parts.nodes;
    this.trust = parts.trust;
    this.wallet = parts.wallet;
    this.payer = parts.payer;
    this.localSql = parts.localSql;
    this.integers = parts.integers;
    this.verifier = verifierOf(parts.trust.domain);
    this.batchSigner = parts.wallet === undefined ? undefined : new BatchSigner(parts.trust.domain, parts.wallet);
  }

  /** Who asks; rewards for proven lies belong to this address. */
  get querier(): Address {
    return this.wallet?.address ?? ZERO_ADDRESS;
  }

  signer(): Wallet {
    if (this.wallet === undefined) throw sdkFaults.noWallet();
    return this.wallet;
  }

  /** Signs transactions, those of one moment together. Throws SDK_NO_WALLET. */
  get signing(): BatchSigner {
    if (this.batchSigner === undefined) throw sdkFaults.noWallet();
    return this.batchSigner;
  }

  /** A fresh random name for a question: an answer to another one does not fit. */
  freshRequest(): Hash32 {
    return hexOf(crypto.getRandomValues(new Uint8Array(32))) as Hash32;
  }

  async asker(group: GroupId, epoch?: Epoch): Promise<Asker> {
    const roster = await this.trust.roster(group, epoch);
    const { domain } = this.trust;
    const certify = (certified: CertifiedCheckpoint): void => this.certifyOnce(certified, () => verifyCertificate(domain, roster, certified));
    return { domain, roster, querier: this.querier, certify };
  }

  /** Certificates of a group that were checked lately. */
  certificatesOf(group: GroupId): CertifiedCheckpoint[] {
    return [...this.certain.values()].filter(({ checkpoint }) => checkpoint.group === group);
  }

  /** One call, paid if a payer is set and the node asks for it. */
  async call<N extends OperationName>(url: string, name: N, request: RequestOf<N>): Promise<AnswerOf<N>> {
    try {
      return await this.nodes.call(url, name, request);
    } catch (error) {
      if (this.payer === undefined || !isPaymentRequired(error)) throw error;
      await this.payer.settle(this.nodes, error);
      return this.nodes.call(url, name, request);
    }
  }

  /** Asks node after node until `accept` takes an answer. */
  ask<N extends OperationName, T>(name: N, request: RequestOf<N>, accept: (answer: AnswerOf<N>) => T | Promise<T>): Promise<T> {
    return this.nodes.each(async (url) => accept(await this.call(url, name, request)));
  }

  /** Keeps the evidence and throws, so that the next node is asked. */
  accuse(lie: Lie): never {
    this.remember(lie);
    throw sdkFaults.lied({ kind: lie.kind, node: lie.kind === 'contradiction' ? lie.statements[0].node : lie.node });
  }

  remember(lie: Lie): void {
    if (this.lies.length < REMEMBERED_LIES) this.lies.push(lie);
  }

  /** The q signatures of one checkpoint are checked once, not for every answer that stands on it. */
  private certifyOnce(certified: CertifiedCheckpoint, check: () => void): void {
    const { checkpoint, signatures } = certified;
    const name = `${checkpointDigestOf(this.trust.domain, checkpoint)}/${signatures.map(({ signature }) => signature).join()}`;
    if (this.certain.has(name)) return;
    check();
    const [oldest] = this.certain.keys();
    if (this.certain.size >= REMEMBERED_CERTIFICATES && oldest !== undefined) this.certain.delete(oldest);
    this.certain.set(name, certified);
  }
}
