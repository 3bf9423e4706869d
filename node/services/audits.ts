import { decode, encode } from '../../protocol/codec/index.ts';
import { sha256Hex } from '../../protocol/crypto/index.ts';
import { rosterOf, type Roster } from '../../protocol/membership/index.ts';
import { contradictionIn, rootsAnswerW, rootsRequestW, verifyRootList } from '../../protocol/query/index.ts';
import { bytesOf, concatBytes, uintBytes, type Address, type GroupId } from '../../protocol/types/index.ts';
import type { Groups, Requests } from '../host/index.ts';
import type { Clock, Signer } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { Reporter } from './evidence.ts';
import type { Histories } from './histories.ts';

const ANSWER_MS = 5_000;

export interface AuditsParts {
  readonly groups: Groups<SqlLedger>;
  readonly histories: Histories;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly requests: Requests;
  readonly reporter: Reporter;
  readonly intervalMs: number;
  /** 'agrees', 'lied', or the code of what was missing. */
  readonly onOutcome: (target: Address, outcome: string) => void;
}

/**
 * Lazy auditing among members (Vidigueira §4.3.6): one of each group per interval, in turn, signs the roots that it knows; they
 * are compared with the certificates that this node has, and a contradiction goes before the contract.
 */
export class Audits {
  private readonly parts: AuditsParts;
  private round = 0;
  private cancel: () => void = () => undefined;
  private stopped = false;

  constructor(parts: AuditsParts) {
    this.parts = parts;
    this.schedule();
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private schedule(): void {
    if (this.stopped) return;
    this.cancel = this.parts.clock.after(this.parts.intervalMs, () => {
      this.round += 1;
      for (const [group, { host }] of this.parts.groups.members) if (host !== undefined) this.askNext(rosterOf(group, host.config.epoch, host.config.roster));
      this.schedule();
    });
  }

  private askNext(roster: Roster): void {
    const peers = roster.replicas.filter((member) => member !== this.parts.signer.address);
    const target = peers[this.round % peers.length];
    if (target === undefined || this.parts.histories.of(roster.group as GroupId).length === 0) return;
    void this.audit(roster, target).then(
      (outcome) => this.parts.onOutcome(target, outcome),
      (error: { code?: string }) => this.parts.onOutcome(target, error.code ?? 'unknown'),
    );
  }

  private async audit(roster: Roster, target: Address): Promise<string> {
    const { signer, clock, requests, histories, reporter } = this.parts;
    const group = roster.group as GroupId;
    const request = sha256Hex(concatBytes(bytesOf(group), bytesOf(target), uintBytes(BigInt(clock.nowMs()), 8)));
    const question = encode(rootsRequestW, { group, querier: signer.address, request });
    const answer = decode(rootsAnswerW, await requests.ask(target, { kind: 'roots', group, request: question }, ANSWER_MS));
    const node = verifyRootList({ domain: signer.domain, roster, querier: signer.address }, request, answer);
    for (const certified of histories.of(group)) {
      const lie = contradictionIn(node, answer, certified);
      if (lie === undefined) continue;
      await reporter.lie({ kind: 'FalseHistory', roster, culprit: roster.replicas.indexOf(node), list: lie.root, against: { kind: 'certificate', certified } });
      return 'lied';
    }
    return 'agrees';
  }
}
