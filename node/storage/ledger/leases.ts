import { limits } from '../../../protocol/limits/index.ts';
import type { Height } from '../../../protocol/types/index.ts';

interface Lease {
  readonly since: number;
  renewed: number;
}

/**
 * Checkpoints whose snapshot a member is fetching. Counted in certified checkpoints, not in time: a quiet group has no
 * newer one to make room for. Bounded, because whoever asks for ever must not fill the disk.
 */
export class Leases {
  readonly #leases = new Map<Height, Lease>();
  #now = 0;

  renew(height: Height): void {
    const known = this.#leases.get(height);
    if (known !== undefined) known.renewed = this.#now;
    else if (this.#leases.size < limits.snapshotLeases) this.#leases.set(height, { since: this.#now, renewed: this.#now });
  }

  /** Another checkpoint was certified: the heights that stay nevertheless. */
  next(): ReadonlySet<Height> {
    this.#now += 1;
    for (const [height, { since, renewed }] of this.#leases) {
      const over = this.#now - renewed > limits.snapshotLeaseCheckpoints || this.#now - since > limits.snapshotLeaseMostCheckpoints;
      if (over) this.#leases.delete(height);
    }
    return new Set(this.#leases.keys());
  }
}
