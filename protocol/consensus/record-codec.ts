import { decode, encode, hash32, list, nullable, record, timestamp, u256, u32, u64, union, type Codec } from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { itemC } from '../rows/index.ts';
import type { Path } from '../types/index.ts';
import type { Consumed } from './block.ts';
import { known } from './entry.ts';
import type { JournalRecord, VotedEntry } from './record.ts';
import { certC, fromParts, qcC, structC, wireOf, type CommandReader } from './wire.ts';

const ROOMY = limits.ackedUnswept + limits.entriesPerBlock * limits.itemsPerTransaction;

const consumedC = record({ path: hash32, from: hash32, to: hash32 }) as Codec<Consumed>;
const claimC = record({ id: hash32, ts: timestamp, items: list(itemC, limits.itemsPerTransaction) }) as Codec<VotedEntry>;
const claims = list(claimC, limits.statementsRemembered * limits.entriesPerBatch);
const consumed = list(consumedC, ROOMY);
const highQc = nullable(qcC);

function recordCodec(read: CommandReader): Codec<JournalRecord> {
  const { block, command } = wireOf(read);
  const loggedParts = record({ command, ts: timestamp, removes: list(hash32, limits.itemsPerTransaction), height: u64 });
  const logged = fromParts(loggedParts, (parts) => ({ ...known(parts), removes: parts.removes as readonly Path[], height: parts.height }));
  return union({
    view: record({ view: u64 }),
    viewChange: record({ newView: u64, highQc }),
    voted: record({ block, parentQc: highQc, highQc, consumed }),
    proposed: record({ view: u64, round: u32 }),
    fastVote: record({ value: structC.fastVote, entries: claims }),
    acked: record({
      view: u64, batchRoot: hash32, acked: u256, ackSeq: u64, ackHead: hash32, cert: certC, entries: list(logged, limits.entriesPerBatch),
    }),
    clock: record({ ceilingMs: u64 }),
    checkpointHash: record({ height: u64, hash: hash32 }),
    checkpoint: record({ value: structC.checkpoint }),
    viewState: record({ view: u64, lastVoted: record({ view: u64, round: u32 }), voteSeq: u64, highQc, closeTs: timestamp, consumed, claims }),
    ackHead: record({ ackSeq: u64, ackHead: hash32 }),
    sealed: record({ height: u64 }),
  }) as unknown as Codec<JournalRecord>;
}

const writer = recordCodec(() => u32.fromCbor(-1) as never);

export function encodeRecord(value: JournalRecord): Uint8Array {
  return encode(writer, value);
}

/** The reader throws CODEC_* for bytes that are no record; the journal's checksum comes first. */
export function recordReader(read: CommandReader): (data: Uint8Array) => JournalRecord {
  const codec = recordCodec(read);
  return (data) => decode(codec, data, Infinity);
}
