import { merkleRoot } from '../crypto/index.ts';
import type { BlockHash, Timestamp } from '../types/index.ts';
import { blockHashOf, outcomeLeaf, type Outcome } from './block.ts';
import type { GroupConfig } from './config.ts';
import type { CommittedBlock } from './effect.ts';
import { verifyMessage } from './verify.ts';
import type { Verifier } from './verifier.ts';
import { decodeCertifiedBlock, type CommandReader } from './wire.ts';

/** A block under a checkpoint, and how to go on down the chain. */
export interface TailBlock {
  readonly block: CommittedBlock;
  readonly parent: BlockHash;
  /** Highest timestamp of this block and all before it: once it is closed, no earlier block is part of the tail. */
  readonly maxTs: Timestamp;
}

/** How a group reads commands, and judges them. */
export interface TailReader {
  readonly read: CommandReader;
  readonly verifier: Verifier;
}

/**
 * Reads the committed block with this hash from a peer's bytes (U-2). Body and outcomes are proven by the hash: the header
 * binds both. Undefined when the bytes are anything else. Throws CODEC_*.
 */
export function readTailBlock(config: GroupConfig, encoded: Uint8Array, hash: BlockHash, { read, verifier }: TailReader): TailBlock | undefined {
  const certified = decodeCertifiedBlock(encoded, read);
  const { block: { header, entries }, outcomes } = certified;
  if (blockHashOf(header) !== hash || outcomes.length !== entries.length) return undefined;
  if (header.outcomeRoot !== merkleRoot(entries.map(({ id }, i) => outcomeLeaf(id, outcomes[i] as Outcome)))) return undefined;
  // body and certificate as in any message: others will be served from these bytes
  if (!verifyMessage(config, 0, { kind: 'blocks', blocks: [certified], checkpoint: null, checkpointBlock: null }, verifier)) return undefined;
  const { epoch, height, closeTs, parent, maxTs } = header;
  const outcome = (i: number): Outcome => outcomes[i] as Outcome;
  return { block: { epoch, height, blockHash: hash, closeTs, encoded, entries: entries.map((entry, i) => ({ ...entry, outcome: outcome(i) })) }, parent, maxTs };
}
