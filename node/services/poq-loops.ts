import { rosterOf, type CertifiedCheckpoint, type Roster } from '../../protocol/membership/index.ts';
import type { Address, Epoch, GroupId } from '../../protocol/types/index.ts';
import type { Groups, Requests } from '../host/index.ts';
import type { ChainPort, Clock } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { Reporter } from './evidence.ts';
import { PoqLoop } from './poq.ts';
import type { ReadParts } from './reads.ts';

export interface PoqLoopsParts {
  readonly groups: Groups<SqlLedger>;
  readonly chain: ChainPort;
  readonly clock: Clock;
  readonly requests: Requests;
  readonly reporter: Reporter;
  readonly intervalMs: number;
  readonly readsOf: (group: GroupId) => ReadParts;
  readonly onOutcome: (target: Address, outcome: string) => void;
  readonly onSilent: (roster: Roster, target: Address, failures: number) => void;
}

/** One challenger per group and epoch that this node is live in (P-6.1-ping10). */
export class PoqLoops {
  private readonly parts: PoqLoopsParts;
  private readonly loops = new Map<GroupId, { readonly epoch: Epoch; readonly loop: PoqLoop }>();

  constructor(parts: PoqLoopsParts) {
    this.parts = parts;
    for (const group of parts.groups.members.keys()) this.follow(group);
  }

  /** Called whenever a group starts, ends or changes its epoch here. */
  follow(group: GroupId): void {
    const host = this.parts.groups.members.get(group)?.host;
    const running = this.loops.get(group);
    if (host === undefined || running?.epoch === host.config.epoch) return;
    running?.loop.stop();
    const { epoch, roster } = host.config;
    const { chain, clock, requests, reporter, intervalMs, readsOf, onOutcome, onSilent } = this.parts;
    const loop = new PoqLoop({ roster: rosterOf(group, epoch, roster), reads: readsOf(group), chain, clock, requests, reporter, intervalMs, onOutcome, onSilent });
    this.loops.set(group, { epoch, loop });
  }

  certified(group: GroupId, certificate: CertifiedCheckpoint): void {
    this.loops.get(group)?.loop.certified(certificate);
  }

  stop(): void {
    for (const { loop } of this.loops.values()) loop.stop();
  }
}
