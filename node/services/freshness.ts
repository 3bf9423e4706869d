import { limits } from '../../protocol/limits/index.ts';
import { apiFaults } from '../../protocol/query/index.ts';
import type { Clock } from '../ports/index.ts';

/** Requests that wait for a group to reach a timestamp or height; woken by every block and checkpoint. */
export class Freshness {
  private readonly clock: Clock;
  private waiting = new Set<() => void>();

  constructor(clock: Clock) {
    this.clock = clock;
  }

  wake(): void {
    for (const check of this.waiting) check();
  }

  /** Resolves with the first defined value of `probe`; API_NOT_YET after the bound. */
  until<T>(probe: () => T | undefined): Promise<T> {
    const now = probe();
    if (now !== undefined) return Promise.resolve(now);
    if (this.waiting.size >= limits.freshnessWaiting) return Promise.reject(apiFaults.overloaded({ waiting: this.waiting.size }));
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const value = probe();
        if (value === undefined) return;
        done();
        resolve(value);
      };
      const cancel = this.clock.after(limits.freshnessWaitMs, () => {
        done();
        reject(apiFaults.notYet({ waitedMs: limits.freshnessWaitMs }));
      });
      const done = (): void => {
        cancel();
        this.waiting.delete(check);
      };
      this.waiting.add(check);
    });
  }
}
