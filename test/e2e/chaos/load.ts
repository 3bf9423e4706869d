import type { Database } from '../../../sdk/index.ts';

/** Two kinds of writers: rows that must not get lost, and lists that several append to. */
export const SCHEMA = [
  'CREATE TABLE kept (id INTEGER PRIMARY KEY, worker INTEGER NOT NULL)',
  'CREATE TABLE list (id INTEGER PRIMARY KEY, items TEXT NOT NULL)',
];
export const LISTS = 3;

/** One append as its writer saw it; `endedMs` undefined: nobody told it how that went. */
export interface Append {
  readonly list: number;
  readonly item: string;
  readonly startedMs: number;
  readonly endedMs: number | undefined;
}

export class ChaosLoad {
  /** Ids whose insert was acknowledged. */
  readonly kept: number[] = [];
  readonly appends: Append[] = [];
  readonly failures = new Map<string, number>();
  /** When the last acknowledgement of any kind came, and the longest wait for one. */
  lastMs = performance.now();
  longestMs = 0;
  private stopped = false;
  private nextId = 1;
  private running: Promise<unknown> = Promise.resolve();

  start(inserters: readonly Database[], appenders: readonly Database[]): void {
    this.lastMs = performance.now();
    this.running = Promise.all([...inserters.map((db, worker) => this.insert(db, worker)), ...appenders.map((db, worker) => this.append(db, worker))]);
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.running;
  }

  private async insert(db: Database, worker: number): Promise<void> {
    while (!this.stopped) {
      const id = this.nextId++;
      if (await this.acknowledged(() => db.table('kept').insert({ id, worker }))) this.kept.push(id);
    }
  }

  private async append(db: Database, worker: number): Promise<void> {
    for (let n = 1; !this.stopped; n++) {
      const list = n % LISTS;
      const item = `${worker}.${n}`;
      const startedMs = performance.now();
      const done = await this.acknowledged(() => db.sql`UPDATE list SET items = items || ${` ${item}`} WHERE id = ${list}`);
      this.appends.push({ list, item, startedMs, endedMs: done ? performance.now() : undefined });
    }
  }

  private async acknowledged(write: () => Promise<unknown>): Promise<boolean> {
    try {
      await write();
      this.longestMs = Math.max(this.longestMs, performance.now() - this.lastMs);
      this.lastMs = performance.now();
      return true;
    } catch (error) {
      const code = String((error as { code?: unknown }).code ?? error);
      this.failures.set(code, (this.failures.get(code) ?? 0) + 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      return false;
    }
  }
}
