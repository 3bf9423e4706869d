import type { FaultFacts } from './fault.ts';

/** A broken invariant: a bug, never a user's mistake. The node stops before it signs. */
export class InvariantError extends Error {
  readonly code: string;
  readonly facts: FaultFacts;

  constructor(code: string, facts: FaultFacts = {}) {
    super(`invariant ${code} broken ${JSON.stringify(facts, (_k, v) => (typeof v === 'bigint' ? `${v}` : v))}`);
    this.name = 'InvariantError';
    this.code = code;
    this.facts = facts;
  }
}

/** Stays on in production. `code` is a short stable name of the rule that broke. */
export function invariant(condition: unknown, code: string, facts?: FaultFacts): asserts condition {
  if (!condition) throw new InvariantError(code, facts);
}

/** Compile-time exhaustiveness, run-time stop. */
export function unreachable(value: never, code: string): never {
  throw new InvariantError(code, { value: JSON.stringify(value) });
}
