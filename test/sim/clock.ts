import type { Events } from './events.ts';
import type { Plan } from './plan.ts';
import type { Random } from './random.ts';

/** What simulated machines count from. */
export const EPOCH_MS = 1_000_000;

/** The clock of one machine: it runs a little fast or slow, is off, steps both ways, and sometimes stands still. */
export class MachineClock {
  private readonly events: Events;
  private readonly drift: number;
  private offsetMs: number;
  private frozenAt: number | undefined;

  constructor(events: Events, random: Random, { skewMs, drift }: Plan['clocks']) {
    this.events = events;
    this.offsetMs = (random.unit() * 2 - 1) * skewMs;
    this.drift = (random.unit() * 2 - 1) * drift;
  }

  now(): number {
    return this.frozenAt ?? EPOCH_MS + this.events.now * (1 + this.drift) + this.offsetMs;
  }

  jump(ms: number): void {
    this.offsetMs += ms;
  }

  /** Stands still, then shows the right time again at once. */
  freeze(forMs: number): void {
    this.frozenAt = this.now();
    this.events.after(forMs, () => {
      this.frozenAt = undefined;
    });
  }
}
