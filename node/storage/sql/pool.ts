import { limits } from '../../../protocol/limits/index.ts';
import type { Scalar } from '../../../protocol/codec/index.ts';
import type { DatabaseId, Timestamp } from '../../../protocol/types/index.ts';
import { sqlFaults } from './faults.ts';
import type { QueryJob, QueryOutcome } from './reader.ts';
import { SqlWorker, type WorkerBounds } from './worker.ts';

export interface SqlPoolOptions {
  /** The ledger's SQLite file. */
  readonly path: string;
  /** Child processes, i.e. queries at the same time. */
  readonly workers?: number;
  readonly timeoutMs?: number;
  readonly memoryBytes?: number;
  readonly maxRows?: number;
  readonly maxBytes?: number;
  /** Queries that may wait. */
  readonly waiting?: number;
}

export interface SqlRequest {
  readonly database: DatabaseId;
  /** One SELECT; may carry an `AS OF` clause. */
  readonly sql: string;
  readonly params?: readonly Scalar[];
  /** Zero or absent: the newest closed timestamp. */
  readonly asOf?: Timestamp;
}

export interface SqlPoolStats {
  readonly workers: number;
  readonly running: number;
  readonly waiting: number;
  /** Children that were killed or died since the start. */
  readonly lost: number;
}

export interface SqlPool {
  /** Runs one untrusted SELECT at a snapshot. Rejects with SQL_*. */
  query(request: SqlRequest): Promise<QueryOutcome>;
  stats(): SqlPoolStats;
  /** Kills what runs and rejects what waits. */
  close(): Promise<void>;
}

interface Waiting {
  readonly job: QueryJob;
  readonly done: PromiseWithResolvers<QueryOutcome>;
}

/** Children start with the first query and are replaced when one is killed. */
export function openSqlPool(options: SqlPoolOptions): SqlPool {
  return new ChildPool(options);
}

class ChildPool implements SqlPool {
  readonly #path: string;
  readonly #size: number;
  readonly #mostWaiting: number;
  readonly #bounds: WorkerBounds;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  readonly #idle: SqlWorker[] = [];
  readonly #all = new Set<SqlWorker>();
  readonly #queue: Waiting[] = [];
  #lost = 0;
  #closed = false;
  #emptied: (() => void) | undefined;

  constructor(options: SqlPoolOptions) {
    this.#path = options.path;
    this.#size = options.workers ?? limits.sqlWorkers;
    this.#mostWaiting = options.waiting ?? limits.queriesWaiting;
    this.#bounds = { timeoutMs: options.timeoutMs ?? limits.queryMs, memoryBytes: options.memoryBytes ?? limits.queryMemoryBytes };
    this.#maxRows = options.maxRows ?? limits.queryRows;
    this.#maxBytes = options.maxBytes ?? limits.queryBytes;
  }

  query({ database, sql, params = [], asOf = 0n as Timestamp }: SqlRequest): Promise<QueryOutcome> {
    if (this.#closed) return Promise.reject(sqlFaults.closed());
    if (Buffer.byteLength(sql) > limits.sqlBytes) return Promise.reject(sqlFaults.tooLong({ maxBytes: limits.sqlBytes }));
    if (this.#queue.length >= this.#mostWaiting) return Promise.reject(sqlFaults.overloaded({ waiting: this.#queue.length }));
    const done = Promise.withResolvers<QueryOutcome>();
    this.#queue.push({ job: { database, sql, params, asOf, maxRows: this.#maxRows, maxBytes: this.#maxBytes }, done });
    this.#serve();
    return done.promise;
  }

  stats(): SqlPoolStats {
    return { workers: this.#all.size, running: this.#all.size - this.#idle.length, waiting: this.#queue.length, lost: this.#lost };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { done } of this.#queue.splice(0)) done.reject(sqlFaults.closed());
    if (this.#all.size === 0) return;
    const emptied = new Promise<void>((resolve) => (this.#emptied = resolve));
    for (const worker of this.#all) worker.kill();
    await emptied;
  }

  #serve(): void {
    while (this.#queue.length > 0 && !this.#closed) {
      const worker = this.#idle.pop() ?? this.#spawn();
      if (worker === undefined) return;
      void this.#give(worker, this.#queue.shift() as Waiting);
    }
  }

  #spawn(): SqlWorker | undefined {
    if (this.#all.size >= this.#size) return undefined;
    const worker: SqlWorker = new SqlWorker(this.#path, this.#bounds, () => this.#forget(worker));
    this.#all.add(worker);
    return worker;
  }

  async #give(worker: SqlWorker, { job, done }: Waiting): Promise<void> {
    try {
      done.resolve(await worker.run(job));
    } catch (error) {
      done.reject(this.#closed ? sqlFaults.closed() : error);
    }
    if (worker.alive && worker.worn) worker.kill();
    else if (worker.alive) this.#idle.push(worker);
    this.#serve();
  }

  #forget(worker: SqlWorker): void {
    this.#all.delete(worker);
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
    this.#lost += this.#closed ? 0 : 1;
    if (this.#all.size === 0) this.#emptied?.();
    this.#serve();
  }
}
