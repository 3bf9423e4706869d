import { decode } from '../../protocol/codec/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { packCell, packQuestion } from '../../protocol/evidence/index.ts';
import { certifiedCheckpointC, rosterOf, type Roster } from '../../protocol/membership/index.ts';
import type { Address, GroupId, Hex } from '../../protocol/types/index.ts';
import type { Groups } from '../host/index.ts';
import type { ChainPort, ChallengeView, Clock } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';

const RETRY_MS = 10_000;
/** A member is challenged at most once in so long by this node, whatever became of it. */
const PATIENCE_MS = 3_600_000;

/** What this node did before the availability court, for logs and for the provider's status. */
export interface CourtOutcome {
  readonly what: 'answered' | 'opened' | 'unanswerable' | 'failed';
  readonly group: GroupId;
  readonly node: Address;
  readonly detail: string;
  readonly hash?: Hex;
  readonly gasUsed?: bigint;
}

export interface CourtsParts {
  readonly chain: ChainPort;
  /** This node's signer; challenges name the node it signs for. */
  readonly self: Address;
  readonly clock: Clock;
  readonly groups: Groups<SqlLedger>;
  /** Unanswered questions in a row before a peer is challenged on chain; 0: never. */
  readonly challengeAfter: number;
  readonly onOutcome: (outcome: CourtOutcome) => void;
}

/**
 * This node before the availability court (Picolo §6.2): it answers every challenge of itself from its ledger, and, if its
 * operator wants that, challenges members of its groups that Proof-of-Query finds silent. The chain's clock alone proves silence.
 */
export class Courts {
  private readonly parts: CourtsParts;
  private readonly busyUntilMs = new Map<string, number>();
  private readonly askedAtMs = new Map<string, number>();

  constructor(parts: CourtsParts) {
    this.parts = parts;
    parts.chain.onChange(() => this.check());
    this.check();
  }

  /** Called whenever the chain or a certified checkpoint moves on. */
  check(): void {
    const { chain, self, clock } = this.parts;
    const node = chain.nodeOf(self)?.node;
    if (node === undefined) return;
    const open = chain.challengesOf(node);
    for (const challenge of open) {
      if ((this.busyUntilMs.get(challenge.group) ?? 0) > clock.nowMs()) continue;
      const cell = this.cellFor(challenge);
      if (cell === undefined) continue;
      this.busyUntilMs.set(challenge.group, clock.nowMs() + RETRY_MS);
      void this.answer(challenge, cell);
    }
  }

  /** A peer left `failures` questions in a row unanswered. */
  silent(roster: Roster, target: Address, failures: number): void {
    const { challengeAfter, chain, clock } = this.parts;
    const key = `${roster.group} ${target}`;
    const tooSoon = clock.nowMs() < (this.askedAtMs.get(key) ?? -Infinity) + PATIENCE_MS;
    const node = chain.nodeOf(target)?.node;
    if (challengeAfter === 0 || failures < challengeAfter || tooSoon || node === undefined) return;
    if (chain.challengesOf(node).some(({ group }) => group === roster.group)) return;
    this.askedAtMs.set(key, clock.nowMs());
    void this.open(roster, target, node);
  }

  /** The packed answer, or undefined while this node cannot give one: it is asked again at the next checkpoint. */
  private cellFor({ group, node, epoch, height, path }: ChallengeView): Hex | undefined {
    const { groups, chain, onOutcome } = this.parts;
    const ledger = groups.members.get(group)?.storage.ledger;
    const newest = ledger?.certified();
    const members = chain.roster(group, epoch);
    if (ledger === undefined || newest === undefined || members === undefined || newest.height < height) return undefined;
    const certified = decode(certifiedCheckpointC, newest.certificate);
    if (certified.checkpoint.epoch !== epoch) return undefined; // the epoch is over and the challenge with it
    const found = ledger.readAt(newest.height, path);
    if (found.kind === 'unavailable') {
      onOutcome({ what: 'unanswerable', group, node, detail: `the cell at ${path} is damaged on this disk` });
      return undefined;
    }
    return packCell(rosterOf(group, epoch, members), certified, path, found.proof);
  }

  private async answer({ group, node, path }: ChallengeView, cell: Hex): Promise<void> {
    const { chain, onOutcome } = this.parts;
    try {
      const { hash, gasUsed } = await chain.answerChallenge({ group, node }, cell);
      onOutcome({ what: 'answered', group, node, detail: `the cell at ${path}`, hash, gasUsed });
    } catch (error) {
      onOutcome({ what: 'failed', group, node, detail: reasonOf(error) });
    }
  }

  /** Asks for a cell that this node has itself: its own newest certificate shows that the height exists. */
  private async open(roster: Roster, signer: Address, node: Address): Promise<void> {
    const { groups, chain, clock, onOutcome } = this.parts;
    const { group } = roster;
    try {
      const ledger = groups.member(group).storage.ledger;
      const newest = ledger.certified();
      if (newest === undefined) return;
      const certified = decode(certifiedCheckpointC, newest.certificate);
      const { rowCount } = certified.detail;
      if (certified.checkpoint.epoch !== roster.epoch || rowCount === 0n) return;
      const path = ledger.pathAt(newest.height, BigInt(clock.nowMs()) % rowCount);
      const { hash, gasUsed } = await chain.openChallenge(path, packQuestion(roster, signer, certified));
      onOutcome({ what: 'opened', group, node, detail: `asked for the cell at ${path}`, hash, gasUsed });
    } catch (error) {
      onOutcome({ what: 'failed', group, node, detail: reasonOf(error) });
    }
  }
}

function reasonOf(error: unknown): string {
  return isPicoloError(error) ? `${error.code}: ${error.message}` : error instanceof Error ? error.message : String(error);
}
