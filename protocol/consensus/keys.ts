import { MAX_TIMESTAMP, ZERO_TIMESTAMP } from '../hlc/index.ts';
import { ZERO_HASH, type BlockHash, type Command, type EntryId, type KeyVersion, type Path, type Timestamp } from '../types/index.ts';
import type { BlockHeader, Outcome } from './block.ts';
import type { BlockNode, Replica } from './state.ts';

export const ABSENT: KeyVersion = { version: ZERO_HASH as EntryId, writtenAt: ZERO_TIMESTAMP, readAt: ZERO_TIMESTAMP };

/** The uncommitted blocks from `base` down to the committed tip, newest first. */
export function* lineage(replica: Replica, base: BlockHash): Iterable<BlockNode> {
  for (let node = replica.blocks.get(base); node !== undefined; node = replica.blocks.get(node.block.header.parent)) yield node;
}

/** True when `base` is the tip or a descendant of it. */
export function extendsTip(replica: Replica, base: BlockHash): boolean {
  let at = base;
  for (const node of lineage(replica, base)) at = node.block.header.parent;
  return at === replica.tip.hash;
}

/** State of a key after block `base`. */
export function keyAt(replica: Replica, base: BlockHash, path: Path): KeyVersion {
  for (const node of lineage(replica, base)) {
    const written = node.execution.writes.get(path);
    if (written !== undefined) return written;
  }
  return replica.recent.get(path) ?? replica.application.versionOf(path) ?? ABSENT;
}

/** Outcome of an entry in the uncommitted part of the chain up to `base`. */
export function outcomeAt(replica: Replica, base: BlockHash, id: EntryId): Outcome | undefined {
  for (const node of lineage(replica, base)) {
    const outcome = node.execution.outcomeOf.get(id);
    if (outcome !== undefined) return outcome;
  }
  return undefined;
}

/** What closes under a block: everything, when it seals the epoch (§2.13). */
export function effectiveClose(header: BlockHeader): Timestamp {
  return header.kind === 'reconfig' ? MAX_TIMESTAMP : header.closeTs;
}

export function closeAt(replica: Replica, base: BlockHash): Timestamp {
  const node = replica.blocks.get(base);
  if (node !== undefined) return effectiveClose(node.block.header);
  return replica.tip.sealed ? MAX_TIMESTAMP : replica.tip.closeTs;
}

/** Finds bodies of entries that are acknowledged or in blocks above the tip. */
export function pendingOf(replica: Replica, base?: BlockHash): (id: EntryId) => Command | undefined {
  return (id) => {
    const acked = replica.acked.get(id);
    if (acked !== undefined) return acked.command;
    const committing = replica.committing.get(id);
    if (committing !== undefined) return committing;
    const nodes = base === undefined ? replica.blocks.values() : lineage(replica, base);
    for (const node of nodes) {
      if (!node.execution.outcomeOf.has(id)) continue;
      return node.block.entries.find((entry) => entry.id === id)?.command;
    }
    return undefined;
  };
}

export const lockKey = (path: Path, version: EntryId): string => `${path}|${version}`;
