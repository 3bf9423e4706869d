/** Values that explain one occurrence of a fault; printed, logged and sent to clients. */
export type FaultFacts = Readonly<Record<string, string | number | bigint | boolean | null | undefined>>;

/** An expected failure. `code` is stable, `what` says what was wrong, `todo` what to do now. */
export class PicoloError extends Error {
  readonly code: string;
  readonly what: string;
  readonly todo: string;
  readonly facts: FaultFacts;

  constructor(code: string, what: string, todo: string, facts: FaultFacts = {}, cause?: unknown) {
    super(`${code}: ${what}${describe(facts)}; ${todo}`, cause === undefined ? {} : { cause });
    this.name = 'PicoloError';
    this.code = code;
    this.what = what;
    this.todo = todo;
    this.facts = facts;
  }

  /** The form that leaves the process: no stack, big integers as decimal strings. */
  toJSON(): { code: string; message: string; todo: string; facts: Record<string, unknown> } {
    const facts = Object.fromEntries(
      Object.entries(this.facts).map(([k, v]) => [k, typeof v === 'bigint' ? v.toString() : v]),
    );
    return { code: this.code, message: this.what, todo: this.todo, facts };
  }
}

/** One constructor per fault of a room, named after its key. */
export type FaultTable<K extends string> = {
  readonly [key in K]: (facts?: FaultFacts, cause?: unknown) => PicoloError;
};

/**
 * Declares the faults of one room.
 * @param prefix the room's word, upper case; becomes the front of every code
 * @param table key -> [what was wrong, what to do]
 */
export function defineFaults<K extends string>(
  prefix: string,
  table: Readonly<Record<K, readonly [what: string, todo: string]>>,
): FaultTable<K> {
  const out: Partial<Record<K, (facts?: FaultFacts, cause?: unknown) => PicoloError>> = {};
  for (const key of Object.keys(table) as K[]) {
    const [what, todo] = table[key];
    const code = `${prefix}_${key.replace(/([A-Z])/g, '_$1').toUpperCase()}`;
    out[key] = (facts, cause) => new PicoloError(code, what, todo, facts, cause);
  }
  return out as FaultTable<K>;
}

export function isPicoloError(error: unknown): error is PicoloError {
  return error instanceof PicoloError;
}

function describe(facts: FaultFacts): string {
  const entries = Object.entries(facts).filter(([, v]) => v !== undefined);
  if (entries.length === 0) return '';
  return ` (${entries.map(([k, v]) => `${k}: ${String(v)}`).join(', ')})`;
}
