import {
  address, bool, bytes, decode, encode, hash32, nullable, record, text, u32, u64, union, type Codec, type Decoded,
} from '../../protocol/codec/index.ts';
import { certifiedCheckpointC } from '../../protocol/membership/index.ts';
import { limits } from '../../protocol/limits/index.ts';

/** Everything that travels between two nodes on the direct lane. */
export const frameC = union({
  /** A consensus message; group and epoch are outside so that a frame finds its replica undecoded. */
  consensus: record({ group: hash32, epoch: u64, message: bytes(limits.frameBytes) }),
  request: record({ id: u32, body: bytes(limits.frameBytes) }),
  response: record({ id: u32, ok: bool, body: bytes(limits.frameBytes) }),
});
export type Frame = Decoded<typeof frameC>;

/** Questions between members of a group. */
export const requestC = union({
  /** Newest certified checkpoint. */
  certified: record({ group: hash32 }),
  /** Leaves of a certified checkpoint from a path on (consensus §2.12). */
  snapshot: record({ group: hash32, height: u64, from: nullable(hash32) }),
  /** Where an epoch started: the certified end of the one before (consensus §2.13). */
  anchor: record({ group: hash32, epoch: u64 }),
  /** Proof-of-Query: a wire request of `protocol/query` in CBOR (P-6.1-ppoq). */
  poq: record({ group: hash32, request: bytes(limits.requestBytes) }),
  /** The whole row behind a false answer, with its writer's signature (P-6.1-ppoq-escalate). */
  row: record({ group: hash32, path: hash32, querier: address }),
  /** A committed block, for the entries above the closed timestamp of a checkpoint (consensus §2.12). */
  block: record({ group: hash32, height: u64 }),
  /** A signed list of certified roots: a wire request of `protocol/query` in CBOR (Vidigueira §4.3.6). */
  roots: record({ group: hash32, request: bytes(limits.requestBytes) }),
});
export type PeerRequest = Decoded<typeof requestC>;

/** A refusal that travels: code and words, never a stack. */
export const refusalC = record({ code: text(128), message: text(1024) });

export const snapshotReplyC = record({ bytes: bytes(limits.frameBytes), next: nullable(hash32) });

export function encodeFrame(frame: Frame): Uint8Array {
  return encode(frameC as Codec<Frame>, frame);
}

/** Throws CODEC_*. */
export function decodeFrame(data: Uint8Array): Frame {
  return decode(frameC as Codec<Frame>, data);
}

/** The certified end of an epoch and the block it stands on. */
export const anchorReplyC = record({ certificate: certifiedCheckpointC, blockHash: hash32 });
export type AnchorReply = Decoded<typeof anchorReplyC>;
