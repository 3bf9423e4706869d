import type { Deployment } from '../../contracts/index.ts';
import { isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
import type { EncodedEvidence } from '../../protocol/evidence/index.ts';
import type { ChainPort, Clock, SubmittedTransaction } from '../ports/index.ts';
import { createCourtCalls } from './court.ts';
import { Chronicle, type BlockRef } from './chronicle.ts';
import { createEventDecoder } from './events.ts';
import { chainFaults } from './faults.ts';
import { emptyProjection, cloneProjection, type Projection } from './projection.ts';
import { EventReader } from './reader.ts';
import { createRpc } from './rpc.ts';
import { Sender } from './sender.ts';
import { loadSnapshot, saveSnapshot } from './snapshot.ts';
import { createViews } from './views.ts';

export interface ChainOptions {
  readonly rpcUrl: string;
  readonly deployment: Deployment;
  readonly clock: Clock;
  /** Blocks on top before a block counts as final; 0 for a local chain. */
  readonly confirmations?: number;
  readonly pollMs?: number;
  /** Longest delay between attempts while the chain is down. */
  readonly backoffMaxMs?: number;
  readonly requestMs?: number;
  /** Depth to which a reorganisation is undone block by block; deeper ones read everything again. */
  readonly windowBlocks?: number;
  /** Most blocks asked for at once in the past. */
  readonly maxRange?: number;
  /** File that spares reading the history again after a restart. */
  readonly snapshotPath?: string;
  /** The operator's wallet, 32 bytes; without it evidence cannot be submitted. */
  readonly operatorKey?: Uint8Array;
  /** Told about every failed poll. */
  readonly onFault?: (fault: PicoloError) => void;
}

/**
 * Follows the deployment on a JSON-RPC chain. Resolves after the first poll, also when the chain is down
 * (it keeps trying, `staleMs` says so). Throws CHAIN_WRONG_NETWORK when it answers as another chain.
 */
export async function createChain(options: ChainOptions): Promise<ChainPort> {
  const chain = new Chain(options);
  await chain.start();
  return chain;
}

/** A poll that somebody asks for waits this long, so that strangers who ask share it. */
const REFRESH_MS = 100;

/** Base blocks between two snapshots. */
const SNAPSHOT_BLOCKS = 1_000n;

class Chain implements ChainPort {
  readonly chainId: bigint;
  readonly groupsOf: ChainPort['groupsOf'];
  readonly group: ChainPort['group'];
  readonly roster: ChainPort['roster'];
  readonly cluster: ChainPort['cluster'];
  readonly channelsOf: ChainPort['channelsOf'];
  readonly accessLevel: ChainPort['accessLevel'];
  readonly nodeOf: ChainPort['nodeOf'];
  readonly challengesOf: ChainPort['challengesOf'];
  readonly answerChallenge: ChainPort['answerChallenge'];
  readonly openChallenge: ChainPort['openChallenge'];
  private readonly options: ChainOptions;
  private readonly chronicle: Chronicle;
  private readonly reader: EventReader;
  private readonly sender: Sender | undefined;
  private readonly submissions = new Map<string, Promise<SubmittedTransaction>>();
  private published: Projection;
  private publishedTip: BlockRef | undefined;
  private handlers: (() => void)[] = [];
  private lastSuccessMs = -Infinity;
  private failures = 0;
  private savedBlock = 0n;
  private cancelNext: () => void = () => undefined;
  private polling: Promise<void> = Promise.resolve();
  private busy = false;
  /** Those who wait for the next poll. */
  private waiting: (() => void)[] = [];
  private closed = false;

  constructor(options: ChainOptions) {
    const { deployment, clock, rpcUrl, requestMs = 10_000, windowBlocks = 128, pollMs = 1_000 } = options;
    const rpc = createRpc(rpcUrl, requestMs);
    this.options = options;
    this.chainId = deployment.chainId;
    const snapshot = options.snapshotPath === undefined ? undefined : loadSnapshot(options.snapshotPath, deployment);
    this.chronicle = new Chronicle(deployment.addresses.ClusterSplitter, windowBlocks, snapshot);
    this.reader = new EventReader({
      rpc, windowBlocks, decoder: createEventDecoder(deployment), chronicle: this.chronicle, chainId: this.chainId,
      fromBlock: BigInt(deployment.fromBlock), confirmations: BigInt(options.confirmations ?? 0), maxRange: options.maxRange ?? 10_000,
    });
    this.sender = options.operatorKey === undefined
      ? undefined
      : new Sender({ rpc, clock, chainId: this.chainId, privateKey: options.operatorKey, pollMs, bumpMs: 30_000, attempts: 6 });
    this.published = snapshot === undefined ? emptyProjection() : cloneProjection(snapshot.state);
    const views = createViews(() => this.published, clock);
    ({
      groupsOf: this.groupsOf, group: this.group, roster: this.roster, cluster: this.cluster, channelsOf: this.channelsOf,
      accessLevel: this.accessLevel, nodeOf: this.nodeOf, challengesOf: this.challengesOf,
    } = views);
    ({ answerChallenge: this.answerChallenge, openChallenge: this.openChallenge } = createCourtCalls(
      deployment.addresses.AvailabilityCourt, this.sender,
    ));
  }

  async start(): Promise<void> {
    const fault = await this.poll();
    if (fault?.code === 'CHAIN_WRONG_NETWORK') {
      await this.close();
      throw fault;
    }
    this.schedule();
  }

  onChange(handler: () => void): void {
    this.handlers.push(handler);
  }

  beacon(): ReturnType<ChainPort['beacon']> {
    const tip = this.publishedTip;
    return tip === undefined ? undefined : { blockNumber: tip.number, blockHash: tip.hash, timestamp: tip.timestamp };
  }

  refresh(): Promise<void> {
    if (this.failures > 0 || this.closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.waiting.push(resolve);
      if (this.waiting.length === 1 && !this.busy) this.pollAfter(REFRESH_MS);
    });
  }

  staleMs(): number {
    return this.options.clock.nowMs() - this.lastSuccessMs;
  }

  /** A success is remembered, so the same evidence is sent once. */
  submitEvidence(evidence: EncodedEvidence): Promise<SubmittedTransaction> {
    const known = this.submissions.get(evidence.call);
    if (known !== undefined) return known;
    if (this.sender === undefined) return Promise.reject(chainFaults.noWallet());
    const sent = this.sender.send(this.options.deployment.addresses[evidence.slasher], evidence.call);
    this.submissions.set(evidence.call, sent);
    sent.catch(() => this.submissions.delete(evidence.call));
    return sent;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.cancelNext();
    this.sender?.close();
    this.handlers = [];
    for (const resolve of this.waiting.splice(0)) resolve();
    await this.polling;
    await this.save(0n);
  }

  private schedule(): void {
    const { pollMs = 1_000, backoffMaxMs = 30_000 } = this.options;
    if (this.failures > 0) this.pollAfter(Math.min(backoffMaxMs, pollMs * 2 ** Math.min(this.failures - 1, 20)));
    else this.pollAfter(this.waiting.length > 0 ? REFRESH_MS : pollMs);
  }

  private pollAfter(delayMs: number): void {
    if (this.closed) return;
    this.cancelNext();
    this.cancelNext = this.options.clock.after(delayMs, () => {
      this.polling = this.pollFor(this.waiting.splice(0)).then(() => this.schedule());
    });
  }

  private async pollFor(waiting: readonly (() => void)[]): Promise<void> {
    this.busy = true;
    await this.poll();
    this.busy = false;
    for (const resolve of waiting) resolve();
    if (this.failures > 0) for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** The fault that ended the poll, if one did. */
  private async poll(): Promise<PicoloError | undefined> {
    try {
      await this.reader.poll();
      this.failures = 0;
      this.lastSuccessMs = this.options.clock.nowMs();
      if (this.chronicle.tip?.hash !== this.publishedTip?.hash && !this.closed) this.publish();
      await this.save(SNAPSHOT_BLOCKS);
      return undefined;
    } catch (error) {
      if (!isPicoloError(error)) throw error;
      this.failures += 1;
      this.options.onFault?.(error);
      return error;
    }
  }

  /** Callers see whole polls only, never a view in the middle of an undo. */
  private publish(): void {
    this.published = cloneProjection(this.chronicle.view);
    this.publishedTip = this.chronicle.tip;
    for (const handler of this.handlers) handler();
  }

  private async save(afterBlocks: bigint): Promise<void> {
    const { snapshotPath, deployment } = this.options;
    const { base } = this.chronicle;
    if (snapshotPath === undefined || base === undefined || base.ref.number <= this.savedBlock + afterBlocks) return;
    this.savedBlock = base.ref.number;
    await saveSnapshot(snapshotPath, deployment, base).catch((error: unknown) => {
      this.options.onFault?.(chainFaults.snapshotFailed({ path: snapshotPath }, error));
    });
  }
}
