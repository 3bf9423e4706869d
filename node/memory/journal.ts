import { defineFaults } from '../../protocol/errors/index.ts';
import type { Journal } from '../ports/index.ts';

const faults = defineFaults('JOURNAL', {
  closed: ['the journal is closed', 'open it again'],
});

/** A disk for the simulator: what was flushed stays, the rest goes with a crash. */
export interface MemoryDisk {
  open(): Journal;
  /** Cuts the newest durable record, as a torn write would; the next `open` reports it. */
  tear(): void;
  /** Forgets everything, as a replaced disk would. */
  wipe(): void;
}

interface Platter {
  records: Uint8Array[];
  firstSequence: bigint;
  torn: boolean;
  written: boolean;
  /** Records of the newest rewrite. */
  rewritten: number;
}

/** Records beyond those of the last rewrite from which another one is worth it. */
const SLACK_RECORDS = 1_000;

export function createMemoryDisk(): MemoryDisk {
  const platter: Platter = { records: [], firstSequence: 0n, torn: false, written: false, rewritten: 0 };
  return {
    open: () => openOn(platter),
    tear() {
      platter.torn = platter.records.pop() !== undefined || platter.torn;
    },
    wipe: () => void Object.assign(platter, { records: [], firstSequence: 0n, torn: false, written: false, rewritten: 0 }),
  };
}

/** Flushes resolve in the next microtask, so the simulator stays deterministic. */
function openOn(platter: Platter): Journal {
  const found = { records: platter.records.slice(), torn: platter.torn, missing: !platter.written };
  let sequence = platter.firstSequence + BigInt(platter.records.length);
  let queue: Uint8Array[] = [];
  let closed = false;
  const usable = (): void => {
    if (closed) throw faults.closed();
  };
  const settle = (): void => {
    if (queue.length > 0) platter.written = true;
    platter.records.push(...queue);
    queue = [];
  };
  return {
    append(record) {
      usable();
      queue.push(record.slice());
      return sequence++;
    },
    async flush() {
      usable();
      settle();
    },
    recover: () => found,
    async rewrite(records) {
      usable();
      queue = [];
      Object.assign(platter, { records: records.map((record) => record.slice()), firstSequence: sequence, torn: false, written: true, rewritten: records.length });
      sequence += BigInt(records.length);
    },
    get overgrown() {
      return platter.torn || platter.records.length > 2 * platter.rewritten + SLACK_RECORDS;
    },
    async close() {
      if (!closed) settle();
      closed = true;
    },
  };
}
