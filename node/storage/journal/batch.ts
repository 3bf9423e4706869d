/** Everything that one flush covers: records to append, after the records that replace the log (if any). */
export class Batch {
  replace: readonly Uint8Array[] | undefined;
  records: Uint8Array[] = [];
  bytes = 0;
  firstSequence: bigint;
  readonly done = Promise.withResolvers<void>();

  constructor(firstSequence: bigint) {
    this.firstSequence = firstSequence;
    this.done.promise.catch(() => undefined); // a batch that nobody waits for must not end the process
  }

  get empty(): boolean {
    return this.replace === undefined && this.records.length === 0;
  }

  add(record: Uint8Array): void {
    this.records.push(record);
    this.bytes += record.length;
  }

  /** What was queued belongs to the log that is being replaced, so it goes with it. */
  startOver(replace: readonly Uint8Array[], firstSequence: bigint): void {
    this.replace = replace.slice();
    this.records = [];
    this.bytes = 0;
    this.firstSequence = firstSequence;
  }
}
