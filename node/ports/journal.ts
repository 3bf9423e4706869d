/**
 * Append-only, checksummed record log with group commit (consensus §2.14). What was appended before
 * a `flush()` resolves survives any crash; a torn tail is reported, never repaired silently.
 */
export interface Journal {
  /** Queues a record; durable only once a later flush resolves. Returns its sequence number. */
  append(record: Uint8Array): bigint;
  /** Resolves when everything appended before the call is on disk; rejects once and for all on a disk error. */
  flush(): Promise<void>;
  /** Records that survived, in order; `torn` when the tail was cut (then abstain, consensus §2.14). */
  recover(): { readonly records: readonly Uint8Array[]; readonly torn: boolean; readonly missing: boolean };
  /** Atomically replaces the whole log by these records (after a stable checkpoint); durable on resolve. */
  rewrite(records: readonly Uint8Array[]): Promise<void>;
  /** Worth a `rewrite`: it has grown well beyond what the last one left, or its tail was torn. Before that, appending is the cheaper way to keep it. */
  readonly overgrown: boolean;
  close(): Promise<void>;
}
