import type { CommittedBlock, Milestone } from '../../protocol/consensus/index.ts';

/** What a replica has done since its node started, for status pages. */
export interface Counts {
  /** Committed entries with a fast certificate, and those the leader ordered. */
  readonly fast: number;
  readonly classic: number;
  /** Entries that only used up their nonce. */
  readonly aborted: number;
  /** Proposals refused, and views asked for. */
  readonly rejects: number;
  readonly viewChanges: number;
}

export class Tally {
  private counts = { fast: 0, classic: 0, aborted: 0, rejects: 0, viewChanges: 0 };

  /** Returns how many entries of the block went the fast way. */
  committed({ entries }: CommittedBlock): number {
    let fast = 0;
    for (const { certView, outcome } of entries) {
      if (outcome === 'aborted') this.counts.aborted += 1;
      else if (outcome === 'applied' && certView !== null) fast += 1;
      else if (outcome === 'applied') this.counts.classic += 1;
    }
    this.counts.fast += fast;
    return fast;
  }

  milestone({ event }: Milestone): void {
    if (event === 'rejected') this.counts.rejects += 1;
    if (event === 'viewChangeStarted') this.counts.viewChanges += 1;
  }

  read(): Counts {
    return { ...this.counts };
  }
}
