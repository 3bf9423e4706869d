import { bytes as bytesC, decode, encode, hash32, record, timestamp } from '../../protocol/codec/index.ts';
import { readTailBlock, type GroupConfig } from '../../protocol/consensus/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { certifiedCheckpointC, type CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import type { Address, BlockHash, GroupId, Height, Path, Timestamp } from '../../protocol/types/index.ts';
import type { AppliedBlock, Ledger } from '../ports/index.ts';
import type { Commands } from './commands.ts';
import { hostFaults } from './faults.ts';
import { snapshotReplyC, type PeerRequest } from './frames.ts';
import { encodeCertified, ledgerBlock } from './ledger-forms.ts';
import type { Requests } from './requests.ts';

const CHUNK_TIMEOUT_MS = 10_000;
const BLOCK_TIMEOUT_MS = 2_000;

/** A certified state to fetch, and the block it continues from. */
export interface Transfer {
  readonly certificate: CertifiedCheckpoint;
  readonly blockHash: BlockHash;
  /** Highest timestamp of the chain up to that block. */
  readonly maxTs: Timestamp;
}

export interface TransferParts {
  readonly requests: Pick<Requests, 'ask'>;
  readonly ledger: Ledger;
  readonly group: GroupId;
  /** Asked in turn, in this order at first. */
  readonly members: readonly Address[];
}

/** What the tail is checked against; between epochs there is none, because the last block closes all time (§2.13). */
export interface TailParts {
  readonly config: GroupConfig;
  readonly commands: Commands;
}

/** A state that is here and verified. */
export interface Arrived {
  /** To be called in one turn with whatever must follow the ledger. */
  readonly install: () => void;
  /** Chunks that were asked for now, by the member that served them; what an earlier fetch staged is not among them. */
  readonly chunks: ReadonlyMap<Address, number>;
}

/** For resuming after a crash: what was being fetched. */
export const transferC = record({ certificate: certifiedCheckpointC, blockHash: hash32, maxTs: timestamp });
const blockC = bytesC(limits.frameBytes);

/** Serves one chunk of a certified checkpoint to a member (consensus §2.12). */
export function serveSnapshot(ledger: Ledger, height: bigint, from: Path | null): Uint8Array {
  return encode(snapshotReplyC, ledger.exportChunk(height, from, limits.snapshotChunkBytes));
}

/** Serves a committed block as the ledger keeps it. Throws HOST_NO_BLOCK below the history. */
export function serveBlock(ledger: Ledger, height: Height): Uint8Array {
  const encoded = ledger.blockAt(height);
  if (encoded === undefined) throw hostFaults.noBlock({ height });
  return encode(blockC, encoded);
}

/** Whether a member serves a block now. If so, its offer of a state was the answer to an older question. */
export function hasBlock({ requests, group }: Pick<TransferParts, 'requests' | 'group'>, member: Address, height: Height): Promise<boolean> {
  return requests.ask(member, { kind: 'block', group, height }, BLOCK_TIMEOUT_MS).then(() => true, () => false);
}

/**
 * Fetches a certified state and the blocks above its closed timestamp from the members in turn. Every chunk is verified
 * against the certified root on its own and every block by its hash, so a lying peer costs one round trip and nothing
 * else, and a silent one a single timeout. Chunks that are staged already, by an earlier fetch or before a crash, are not
 * asked for again. Throws HOST_SNAPSHOT_FAILED when nobody serves it.
 */
export async function fetchSnapshot(parts: TransferParts, transfer: Transfer, tailParts?: TailParts): Promise<Arrived> {
  const { ledger } = parts;
  const { certificate, blockHash } = transfer;
  const { checkpoint, detail } = certificate;
  const willing = new Willing(parts, checkpoint.height);
  await fetchChunks(willing, ledger, certificate);
  const tail = tailParts === undefined ? [] : await fetchTail(willing, tailParts, transfer);
  const position = { epoch: checkpoint.epoch, height: checkpoint.height, blockHash, closeTs: detail.closeTs as Timestamp };
  const { rowCount, capsuleHead } = detail;
  const commitment = { stateRoot: checkpoint.stateRoot, rowCount, capsuleHead };
  return { install: () => ledger.installSnapshot(position, commitment, encodeCertified(certificate), tail), chunks: willing.chunks };
}

/** The next chunk is asked for while this one is verified. */
async function fetchChunks(willing: Willing, ledger: Ledger, { checkpoint }: CertifiedCheckpoint): Promise<void> {
  const { height, stateRoot } = checkpoint;
  let from = ledger.stagedUpTo(height);
  let asked = from === null ? undefined : willing.askChunk(from);
  while (from !== null && asked !== undefined) {
    const at: Path = from;
    const { peer, bytes, next } = await asked;
    const ahead: ReturnType<Willing['askChunk']> | undefined = next === null ? undefined : willing.askChunk(next);
    ahead?.catch(() => undefined); // awaited in the next round, or not at all
    try {
      ledger.importChunk(height, stateRoot, at, { bytes, next });
      willing.served(peer);
      from = next;
      asked = ahead;
    } catch (error) {
      await ahead?.catch(() => undefined); // its member comes back to the line
      willing.drop(peer, error);
      asked = willing.askChunk(at);
    }
  }
}

/** Down the chain from the checkpoint's block to the first that lies under the closed timestamp altogether. */
async function fetchTail(willing: Willing, { config, commands }: TailParts, { certificate, blockHash }: Transfer): Promise<AppliedBlock[]> {
  const { closeTs } = certificate.detail;
  const tail: AppliedBlock[] = [];
  let hash = blockHash;
  for (let height = certificate.checkpoint.height; height > config.anchor.height; height--) {
    const found = await willing.ask({ kind: 'block', group: config.group, height }, (body) => readTailBlock(config, decode(blockC, body), hash, commands));
    tail.unshift(ledgerBlock(found.block));
    if (found.maxTs <= closeTs) break;
    hash = found.parent;
  }
  return tail;
}

/** The members that have not failed in this fetch, in the order in which they are asked: the load is spread over them. */
class Willing {
  readonly chunks = new Map<Address, number>();
  private readonly parts: TransferParts;
  private readonly height: Height;
  private line: Address[];
  private last: unknown;

  constructor(parts: TransferParts, height: Height) {
    this.parts = parts;
    this.height = height;
    this.line = [...parts.members];
  }

  served(peer: Address): void {
    this.chunks.set(peer, (this.chunks.get(peer) ?? 0) + 1);
  }

  /** Who lies is not asked again. */
  drop(peer: Address, error: unknown): void {
    this.last = error;
    this.line = this.line.filter((other) => other !== peer);
  }

  askChunk(from: Path): Promise<{ readonly peer: Address; readonly bytes: Uint8Array; readonly next: Path | null }> {
    const { group } = this.parts;
    return this.ask({ kind: 'snapshot', group, height: this.height, from }, (body, peer) => {
      const { bytes, next } = decode(snapshotReplyC, body);
      return { peer, bytes, next: next as Path | null };
    });
  }

  /** The first answer that `accept` takes. Its member goes to the end of the line; those that failed before it leave it. */
  async ask<T>(question: PeerRequest, accept: (body: Uint8Array, peer: Address) => T | undefined): Promise<T> {
    const { requests, group } = this.parts;
    for (let peer = this.line.shift(); peer !== undefined; peer = this.line.shift()) {
      try {
        const accepted = accept(await requests.ask(peer, question, CHUNK_TIMEOUT_MS), peer);
        if (accepted === undefined) throw hostFaults.badReply({ peer });
        this.line.push(peer);
        return accepted;
      } catch (error) {
        this.last = error;
      }
    }
    throw hostFaults.snapshotFailed({ group, height: this.height }, this.last);
  }
}
