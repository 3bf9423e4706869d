import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PicoloError } from '../../../protocol/errors/index.ts';
import { sqlFaults } from './faults.ts';
import type { ReplyMessage } from './messages.ts';
import type { QueryJob, QueryOutcome } from './reader.ts';

export interface WorkerBounds {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
}

const CHILD = fileURLToPath(new URL('./child.ts', import.meta.url));
const MEMORY_POLL_MS = 50;
const PAGE_BYTES = 4096;

interface Running {
  readonly id: number;
  readonly done: PromiseWithResolvers<QueryOutcome>;
}

/**
 * One child process. A statement that is inside SQLite cannot be stopped from within (a thread cannot
 * either), so limits are kept from outside: SIGKILL, which readers of a WAL file survive.
 */
export class SqlWorker {
  readonly #child: ChildProcess;
  readonly #bounds: WorkerBounds;
  readonly ready: Promise<void>;
  #running: Running | undefined;
  #nextId = 0;
  #alive = true;
  /** Why it was killed, if it was. */
  #verdict: PicoloError | undefined;

  constructor(path: string, bounds: WorkerBounds, onExit: () => void) {
    this.#bounds = bounds;
    this.#child = fork(CHILD, [path], {
      serialization: 'advanced',
      env: { TZ: 'UTC' }, // nothing of the node's environment, and one time zone for date functions
      execArgv: ['--disable-warning=ExperimentalWarning', '--max-old-space-size=256'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => undefined);
    this.ready = ready.promise;
    this.#child.on('message', (message) => {
      const reply = message as ReplyMessage;
      if (reply.kind === 'ready') ready.resolve();
      else this.#settle(reply);
    });
    this.#child.on('error', () => this.kill());
    this.#child.once('exit', (code, signal) => {
      this.#alive = false;
      const fault = this.#verdict ?? sqlFaults.lost({ code, signal });
      ready.reject(fault);
      this.#finish((done) => done.reject(fault));
      onExit();
    });
  }

  get alive(): boolean {
    return this.#alive && this.#verdict === undefined;
  }

  /** One at a time; the pool keeps the queue. @throws SQL_* */
  async run(job: QueryJob): Promise<QueryOutcome> {
    await this.ready;
    const running = { id: this.#nextId++, done: Promise.withResolvers<QueryOutcome>() };
    this.#running = running;
    const deadline = setTimeout(() => this.#stop(sqlFaults.timeLimit({ timeoutMs: this.#bounds.timeoutMs })), this.#bounds.timeoutMs);
    const watch = setInterval(() => this.#watchMemory(), MEMORY_POLL_MS);
    try {
      this.#child.send({ id: running.id, job });
      return await running.done.promise;
    } finally {
      clearTimeout(deadline);
      clearInterval(watch);
    }
  }

  /** What big results left behind would be blamed on the next query. */
  get worn(): boolean {
    return residentBytes(this.#child.pid) > this.#bounds.memoryBytes / 2;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #stop(verdict: PicoloError): void {
    this.#verdict ??= verdict;
    this.kill();
  }

  #watchMemory(): void {
    const bytes = residentBytes(this.#child.pid);
    if (bytes > this.#bounds.memoryBytes) this.#stop(sqlFaults.memoryLimit({ bytes, maxBytes: this.#bounds.memoryBytes }));
  }

  #settle(reply: Exclude<ReplyMessage, { kind: 'ready' }>): void {
    if (reply.id !== this.#running?.id) return;
    if (reply.kind === 'answer') this.#finish((done) => done.resolve(reply.outcome));
    else if (reply.kind === 'fault') {
      this.#finish((done) => done.reject(new PicoloError(reply.code, reply.what, reply.todo, reply.facts)));
    } else this.#finish((done) => done.reject(sqlFaults.lost({ reason: reply.reason })));
  }

  #finish(end: (done: PromiseWithResolvers<QueryOutcome>) => void): void {
    const running = this.#running;
    this.#running = undefined;
    if (running !== undefined) end(running.done);
  }
}

/** Zero where the system does not tell (then only the time limit bounds memory). */
function residentBytes(pid: number | undefined): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
  } catch {
    return 0;
  }
}
