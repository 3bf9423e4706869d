declare const brand: unique symbol;

/**
 * Proof that a flush completed. Only the handler of `flushed` makes one, and `sign` effects need one:
 * a signature without its durable record does not type-check (consensus §2.14).
 */
export type Durable = { readonly token: number; readonly [brand]: 'Durable' };

/** Called by the handler of `flushed` alone. */
export function durableAt(token: number): Durable {
  return { token } as Durable;
}
