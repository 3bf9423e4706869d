import type { SignedMessage } from '../../../protocol/consensus/index.ts';
import type { Command, EntryId, Timestamp } from '../../../protocol/types/index.ts';

export interface BatchedEntry {
  readonly id: EntryId;
  readonly ts: Timestamp;
  readonly command: Command;
}

/** What every batch root that was ever signed stands for. */
export class Batches {
  private readonly byRoot = new Map<string, readonly BatchedEntry[]>();

  noteMessage(message: SignedMessage): void {
    if (message.kind === 'fastBatch' && !this.byRoot.has(message.value.batchRoot)) this.byRoot.set(message.value.batchRoot, message.entries);
  }

  get(root: string): readonly BatchedEntry[] | undefined {
    return this.byRoot.get(root);
  }
}
