import type { Clock } from '../ports/index.ts';

/** A clock that stands still until it is told how far to go. */
export interface ManualClock extends Clock {
  /** Moves time forward, running due timers in order of their time. */
  advance(ms: number): void;
  /** Timers that have not fired. */
  readonly pending: number;
}

interface Timer {
  readonly atMs: number;
  readonly seq: number;
  readonly action: () => void;
}

export function createManualClock(startMs = 1_700_000_000_000): ManualClock {
  const timers = new Set<Timer>();
  let nowMs = startMs;
  let seq = 0;
  const due = (untilMs: number): Timer | undefined => {
    let first: Timer | undefined;
    for (const timer of timers) if (timer.atMs <= untilMs && (first === undefined || isBefore(timer, first))) first = timer;
    return first;
  };
  return {
    nowMs: () => nowMs,
    after(delayMs, action) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), seq: seq++, action };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (let timer = due(untilMs); timer !== undefined; timer = due(untilMs)) {
        timers.delete(timer);
        nowMs = timer.atMs;
        timer.action();
      }
      nowMs = untilMs;
    },
    get pending() {
      return timers.size;
    },
  };
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);
}
