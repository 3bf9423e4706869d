import {
  decode, encode, hash32, list, nullable, record, signature, timestamp, u256, u32, u64, union, bytes,
  type Codec, type Domain,
} from '../codec/index.ts';
import { limits } from '../limits/index.ts';
import { certifiedCheckpointC, type CheckpointDetail } from '../membership/index.ts';
import { decodeTransaction, toCommand } from '../rows/index.ts';
import { sha256Hex } from '../crypto/index.ts';
import { Remembered, type Command, type Hash32 } from '../types/index.ts';
import { BLOCK_KINDS, OUTCOMES, type Block, type BlockEntry, type BlockHeader, type Outcome, type Qc } from './block.ts';
import { known, type KnownEntry } from './entry.ts';
import { REJECT_REASONS, type AckedRef, type BatchCert, type CertifiedBlock, type Message, type TcVote } from './message.ts';

/** Turns the opaque bytes of a command into what consensus needs of it; throws for malformed bytes. */
export type CommandReader = (bytes: Uint8Array) => Command;

/** Commands are signed transactions. */
export function commandReader(domain: Domain): CommandReader {
  return remembering(transactionReader(domain));
}

export function transactionReader(domain: Domain): CommandReader {
  return (data) => toCommand(domain, decodeTransaction(data), data);
}

/**
 * The reader of a real node. A command travels in a batch, in a block and in certificates; the same bytes give the same
 * object, so what was found out about it once is known each time.
 */
export function remembering(read: CommandReader): CommandReader {
  const known = new Remembered<Hash32, Command>(limits.rememberedCommandBytes);
  return (data) => {
    const name = sha256Hex(data);
    let command = known.get(name, data.length);
    if (command === undefined) {
      const own = data.slice(); // not a view that keeps a whole message alive
      command = read(own);
      known.set(name, command, data.length);
    }
    return command;
  };
}

/** A position in a fixed list of names, as an integer. */
export function oneOf<T extends string>(names: readonly T[]): Codec<T> {
  return {
    exact: true,
    toCbor: (value) => names.indexOf(value),
    fromCbor: (raw) => names[Math.min(u32.fromCbor(raw), names.length)] ?? (u32.fromCbor(-1) as never),
  };
}

const place = { group: hash32, epoch: u64, view: u64 };
const structC = {
  fastBatch: record({ ...place, gateway: u32, seq: u64, batchRoot: hash32, count: u32 }),
  fastVote: record({ ...place, batchRoot: hash32, accept: u256 }),
  fastAck: record({ ...place, batchRoot: hash32, acked: u256, ackSeq: u64, ackHead: hash32 }),
  proposal: record({ ...place, round: u32, blockHash: hash32 }),
  blockVote: record({ ...place, round: u32, blockHash: hash32, qcView: u64, qcRound: u32 }),
  viewChange: record({
    group: hash32, epoch: u64, newView: u64, qcView: u64, qcRound: u32, qcBlock: hash32, ackSeq: u64, ackHead: hash32, ackedRoot: hash32,
  }),
  checkpoint: record({ group: hash32, epoch: u64, height: u64, stateRoot: hash32, detail: hash32 }),
};
export { structC };

export const detailC: Codec<CheckpointDetail> = record({ closeTs: timestamp, rowCount: u64, capsuleHead: hash32, previous: hash32, configHash: hash32 });

export const qcC = record({
  view: u64, round: u32, blockHash: hash32,
  votes: list(record({ signer: u32, qcView: u64, qcRound: u32, signature }), limits.replicasPerGroup),
}) as Codec<Qc>;

export const certC = record({
  view: u64, batchRoot: hash32, entryIds: list(hash32, limits.entriesPerBatch),
  votes: list(record({ signer: u32, accept: u256, signature }), limits.replicasPerGroup),
}) as Codec<BatchCert>;

const ackedRefC: Codec<AckedRef> = record({ id: hash32, certView: u64 });

export const headerC = record({
  group: hash32, epoch: u64, view: u64, round: u32, height: u64, parent: hash32, kind: oneOf(BLOCK_KINDS), closeTs: timestamp, maxTs: timestamp,
  count: u32, entriesRoot: hash32, effectsRoot: hash32, outcomeRoot: hash32, tcRoot: hash32, next: hash32,
}) as Codec<BlockHeader>;

const tcC = record({ signer: u32, value: structC.viewChange, acked: list(ackedRefC, limits.ackedUnswept), signature }) as Codec<TcVote>;

/** Everything that holds commands depends on how their bytes are read. */
export interface Wire {
  readonly command: Codec<Command>;
  readonly entry: Codec<KnownEntry>;
  readonly block: Codec<Block>;
  readonly certified: Codec<CertifiedBlock>;
  readonly message: Codec<Message>;
}

export function wireOf(read: CommandReader): Wire {
  const command: Codec<Command> = { exact: true, toCbor: (value) => value.bytes, fromCbor: (raw) => read(commandBytes.fromCbor(raw)) };
  const entry: Codec<KnownEntry> = fromParts(record({ command, ts: timestamp }), (parts) => known(parts));
  const blockEntry: Codec<BlockEntry> = fromParts(record({ command, ts: timestamp, certView: nullable(u64) }), (parts) => ({
    ...known(parts), certView: parts.certView,
  }));
  const block: Codec<Block> = record({ header: headerC, entries: list(blockEntry, limits.entriesPerBlock + limits.ackedUnswept) });
  const certified: Codec<CertifiedBlock> = record({ block, qc: qcC, outcomes: list(oneOf<Outcome>(OUTCOMES), limits.entriesPerBlock + limits.ackedUnswept) });
  const entries = list(entry, limits.ackedUnswept);
  const certs = list(certC, limits.ackedUnswept);
  const unsignedChange = record({ value: structC.viewChange, signature });
  const blockVote = record({ value: structC.blockVote, signature });
  const fastAck = record({ value: structC.fastAck, signature });
  const rank = record({ view: u64, round: u32 });
  const position = record({ ackSeq: u64, voteSeq: u64, voted: rank });
  const message = union({
    fastBatch: record({ value: structC.fastBatch, entries: list(entry, limits.entriesPerBatch), signature }),
    fastVote: record({ value: structC.fastVote, signature }),
    fastAck,
    proposal: record({
      value: structC.proposal, block, parentQc: nullable(qcC), certs, tc: list(tcC, limits.replicasPerGroup), signature,
    }),
    blockVote,
    viewChange: record({ value: structC.viewChange, highQc: nullable(qcC), acked: list(ackedRefC, limits.ackedUnswept), certs, entries, signature }),
    checkpointVote: record({ value: structC.checkpoint, detail: detailC, signature }),
    certificate: record({ certs, entries }),
    reject: record({ view: u64, round: u32, reason: oneOf(REJECT_REASONS), certs, entries }),
    heartbeat: record({ clockMs: u64, view: u64, committed: u64, highQc: rank, silent: u64, signed: position }),
    submit: record({ command }),
    certified: record({ qc: qcC }),
    announce: record({ value: structC.checkpoint }),
    fetch: record({ from: u64 }),
    blocks: record({
      blocks: list(certified, limits.blocksPerFetch * 2), checkpoint: nullable(certifiedCheckpointC), checkpointBlock: nullable(certified),
    }),
    recall: record({}),
    recalled: record({
      subject: u32, blockVote: nullable(tagged('blockVote', blockVote)), fastAck: nullable(tagged('fastAck', fastAck)), viewChange: nullable(unsignedChange),
      heard: position,
    }),
  }) as unknown as Codec<Message>;
  return { command, entry, block, certified, message };
}

const commandBytes = bytes(limits.transactionBytes);

/** A codec whose decoded parts are completed by a function of them. */
export function fromParts<P, V extends P>(parts: Codec<P>, complete: (parts: P) => V): Codec<V> {
  return { ...exactAs(parts), toCbor: (value) => parts.toCbor(value), fromCbor: (raw) => complete(parts.fromCbor(raw)) };
}

/** Puts the `kind` back that a nested message drops on the wire. */
function tagged<K extends string, T>(kind: K, inner: Codec<T>): Codec<T & { readonly kind: K }> {
  return { ...exactAs(inner), toCbor: (value) => inner.toCbor(value), fromCbor: (raw) => ({ kind, ...inner.fromCbor(raw) }) };
}

/** Completing what was decoded changes nothing about which bytes are taken. */
const exactAs = (inner: Codec<any>): { readonly exact?: boolean } => (inner.exact === true ? { exact: true } : {});

const wires = new Map<CommandReader, Wire>();

function wire(read: CommandReader): Wire {
  let found = wires.get(read);
  if (found === undefined) {
    found = wireOf(read);
    if (wires.size > 16) wires.clear();
    wires.set(read, found);
  }
  return found;
}

// encoding needs no reader
const writer = wireOf(() => u32.fromCbor(-1) as never);

export function encodeMessage(message: Message): Uint8Array {
  return encode(writer.message, message);
}

/** Throws CODEC_* for anything but the canonical bytes of one message. */
export function decodeMessage(data: Uint8Array, read: CommandReader): Message {
  return decode(wire(read).message, data);
}

export function encodeCertifiedBlock(block: CertifiedBlock): Uint8Array {
  return encode(writer.certified, block);
}

export function decodeCertifiedBlock(data: Uint8Array, read: CommandReader): CertifiedBlock {
  return decode(wire(read).certified, data);
}

