import { limits } from '../../protocol/limits/index.ts';
import { rosterOf, verifyCertificate, type CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import { apiFaults, rootListOf, type RootsAnswer, type RootsRequest } from '../../protocol/query/index.ts';
import type { GroupId, Height } from '../../protocol/types/index.ts';
import type { ChainPort, Clock, Signer } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import { newestCheckpoint } from './reads.ts';

export interface HistoriesParts {
  readonly signer: Signer;
  readonly chain: ChainPort;
  readonly clock: Clock;
}

/**
 * What this node knows to be certified, for lazy auditing (Vidigueira §4.3.6): the newest roots of each group's epoch, only from
 * certificates whose signatures it has checked itself. So it lists nothing that a certificate contradicts, whatever
 * its disk holds, and needs no guard for that (decision 0185).
 */
export class Histories {
  private readonly parts: HistoriesParts;
  private readonly byGroup = new Map<GroupId, Map<Height, CertifiedCheckpoint>>();

  constructor(parts: HistoriesParts) {
    this.parts = parts;
  }

  /** Takes a certificate that was verified. Of two for one height the first stays. */
  remember(certified: CertifiedCheckpoint): void {
    const { group, epoch, height } = certified.checkpoint;
    const known = this.byGroup.get(group as GroupId);
    const [any] = known?.values() ?? [];
    if (known === undefined || any === undefined || any.checkpoint.epoch < epoch) {
      this.byGroup.set(group as GroupId, new Map([[height, certified]]));
      return;
    }
    if (any.checkpoint.epoch > epoch || known.has(height)) return;
    known.set(height, certified);
    if (known.size > limits.rootsPerList) known.delete([...known.keys()].reduce((least, other) => (other < least ? other : least)));
  }

  /** Heights ascending, all of one epoch. */
  of(group: GroupId): readonly CertifiedCheckpoint[] {
    return [...(this.byGroup.get(group)?.values() ?? [])].sort((a, b) => (a.checkpoint.height < b.checkpoint.height ? -1 : 1));
  }

  /** @throws API_HISTORY_GONE */
  at(group: GroupId, height: Height): CertifiedCheckpoint {
    const certified = this.byGroup.get(group)?.get(height);
    if (certified === undefined) throw apiFaults.historyGone({ height, newest: this.of(group).at(-1)?.checkpoint.height });
    return certified;
  }

  /** The signed list. @throws API_NO_CHECKPOINT */
  list(ledger: SqlLedger, asked: RootsRequest): RootsAnswer {
    const { signer, clock } = this.parts;
    const group = asked.group as GroupId;
    if (!this.byGroup.has(group)) this.recall(newestCheckpoint(ledger, group));
    const history = this.of(group).map(({ checkpoint }) => checkpoint);
    const [oldest] = history;
    if (oldest === undefined) throw apiFaults.noCheckpoint({ group });
    const roots = history.map(({ height, stateRoot }) => ({ height, stateRoot }));
    const list = rootListOf({ group, epoch: oldest.epoch }, roots, asked, BigInt(Math.floor(clock.nowMs() / 1000)));
    return { roots, list, signature: signer.sign('RootList', list) };
  }

  /** After a restart there is only what the disk holds: it counts if its signatures still do. */
  private recall(stored: CertifiedCheckpoint): void {
    const { signer, chain } = this.parts;
    const { group, epoch } = stored.checkpoint;
    const members = chain.roster(group as GroupId, epoch);
    if (members === undefined) throw apiFaults.noCheckpoint({ group, epoch });
    verifyCertificate(signer.domain, rosterOf(group as GroupId, epoch, members), stored);
    this.remember(stored);
  }
}
