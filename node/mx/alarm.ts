import type { Clock } from '../ports/index.ts';

/** One timer for the earliest of many deadlines. */
export interface Alarm {
  /** Milliseconds since the epoch; undefined switches it off. */
  set(atMs: number | undefined): void;
}

export function createAlarm(clock: Clock, ring: () => void): Alarm {
  let stop: (() => void) | undefined;
  let setForMs: number | undefined;
  return {
    set(atMs) {
      if (atMs === setForMs) return;
      stop?.();
      stop = undefined;
      setForMs = atMs;
      if (atMs === undefined) return;
      stop = clock.after(Math.max(0, atMs - clock.nowMs()), () => {
        setForMs = undefined;
        ring();
      });
    },
  };
}
