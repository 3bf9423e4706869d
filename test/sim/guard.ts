/** Everything a run must not look at: the same seed has to give the same run on every machine, today and in a year. */
const FORBIDDEN = ['Date', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'] as const;

/** Runs with clocks, timers and randomness of the machine switched off: whoever reaches for one throws. */
export function sealed<T>(run: () => T): T {
  const world = globalThis as unknown as Record<string, unknown>;
  const kept = FORBIDDEN.map((name) => [name, world[name]] as const);
  const { random } = Math;
  const { randomUUID, getRandomValues } = globalThis.crypto;
  const { now } = performance;
  for (const name of FORBIDDEN) world[name] = forbid(name);
  Math.random = forbid('Math.random') as typeof Math.random;
  performance.now = forbid('performance.now') as typeof performance.now;
  Object.assign(globalThis.crypto, { randomUUID: forbid('randomUUID'), getRandomValues: forbid('getRandomValues') });
  try {
    return run();
  } finally {
    for (const [name, value] of kept) world[name] = value;
    Math.random = random;
    performance.now = now;
    Object.assign(globalThis.crypto, { randomUUID, getRandomValues });
  }
}

function forbid(name: string): unknown {
  const refuse = function (): never {
    throw new Error(`${name} was used inside a simulated run`);
  };
  // Date is also read through its members
  return name === 'Date' ? Object.assign(refuse, { now: refuse }) : refuse;
}
