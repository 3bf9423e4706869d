/**
 * The wall clock of this machine behind the `Clock` port. Timers keep the process alive only until
 * they are cancelled; whoever starts one owns its cancel function. Tests use the manual clock of
 * `node/memory`.
 *
 * @example
 *   const cancel = systemClock.after(100, () => flush());
 */
import type { Clock } from '../ports/index.ts';

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, Math.min(Math.max(0, delayMs), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};
