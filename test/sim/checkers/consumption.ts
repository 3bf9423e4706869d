import { hasBit, type JournalRecord, type SignedMessage } from '../../../protocol/consensus/index.ts';
import { ZERO_HASH } from '../../../protocol/types/index.ts';
import type { Batches, BatchedEntry } from './batches.ts';
import type { Violate } from './index.ts';

/**
 * An entry acknowledged and a block voted for in one view, where the block gives a version that the entry replaces to
 * another one: a punishable pair (§3.2 E10). Blocks are known by what their voters wrote down.
 */
export class ConsumptionChecker {
  private readonly acked = new Map<string, BatchedEntry>();
  private readonly consumed = new Map<string, string>();
  private readonly voted = new Map<string, readonly string[]>();
  private readonly violate: Violate;
  private readonly batches: Batches;

  constructor(violate: Violate, batches: Batches) {
    this.violate = violate;
    this.batches = batches;
  }

  /** What a block gives to whom, before the vote for it is signed. */
  recorded(record: JournalRecord, blockHash: string): void {
    if (record.kind === 'voted') this.voted.set(blockHash, record.consumed.map(({ path, from, to }) => `${path} ${from} ${to}`));
  }

  signed(replica: number, message: SignedMessage): void {
    if (message.kind === 'blockVote') {
      const { epoch, view, blockHash } = message.value;
      for (const each of this.voted.get(blockHash) ?? []) {
        const [path, from, to] = each.split(' ') as [string, string, string];
        this.consumed.set(`${epoch}/${replica}/${view}/${path}/${from}`, to);
        this.judge(`${epoch}/${replica}/${view}/${path}/${from}`, from);
      }
    }
    if (message.kind !== 'fastAck') return;
    const { epoch, view, batchRoot, acked } = message.value;
    this.batches.get(batchRoot)?.forEach((entry, i) => {
      if (!hasBit(acked, i)) return;
      for (const { path, version, mode } of entry.command.items) {
        if (mode !== 'W') continue;
        this.acked.set(`${epoch}/${replica}/${view}/${path}/${version}`, entry);
        this.judge(`${epoch}/${replica}/${view}/${path}/${version}`, version);
      }
    });
  }

  /** Version zero comes back whenever a key is removed, so it proves nothing (decision 0016). */
  private judge(place: string, version: string): void {
    const entry = this.acked.get(place);
    const other = this.consumed.get(place);
    if (version === ZERO_HASH || entry === undefined || other === undefined || other === entry.id) return;
    this.violate('consumption', `honest ${place}: acknowledged ${entry.id}, voted to give its version to ${other}`);
  }
}
