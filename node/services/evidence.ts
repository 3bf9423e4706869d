import type { Offence } from '../../protocol/consensus/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { encodeEvidence, type Evidence } from '../../protocol/evidence/index.ts';
import { rosterOf, type Roster } from '../../protocol/membership/index.ts';
import type { Address, Hex } from '../../protocol/types/index.ts';
import type { ChainPort, GroupView } from '../ports/index.ts';

/** What became of a piece of evidence, for logs and for the provider's status. */
export interface EvidenceOutcome {
  readonly offence: string;
  readonly accused: Address;
  readonly outcome: 'slashed' | 'refused' | 'kept';
  readonly detail: string;
  readonly hash?: Hex;
  readonly gasUsed?: bigint;
}

/** Sends what this node finds to the slasher, once per accused and offence; the contract alone decides (Picolo §6.2). */
export class Reporter {
  private readonly chain: ChainPort;
  private readonly self: Address;
  private readonly reported = new Set<string>();
  private readonly onOutcome: (outcome: EvidenceOutcome) => void;

  constructor(parts: { readonly chain: ChainPort; readonly self: Address; readonly onOutcome: (outcome: EvidenceOutcome) => void }) {
    this.chain = parts.chain;
    this.self = parts.self;
    this.onOutcome = parts.onOutcome;
  }

  /** Contradictions that consensus found in passing. */
  offence(view: GroupView, offence: Offence): void {
    const roster = rosterOf(view.group, view.epoch, view.roster);
    const accused = roster.replicas[offence.culprit] as Address;
    void this.report(evidenceOf(offence, roster, this.self), accused);
  }

  /** A wrong signed answer, found by Proof-of-Query or reported by a client. */
  lie(evidence: Evidence): Promise<void> {
    return this.report(evidence, evidence.roster.replicas[evidence.culprit] as Address);
  }

  private async report(evidence: Evidence, accused: Address): Promise<void> {
    const key = `${accused} ${evidence.kind}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    try {
      const { hash, gasUsed } = await this.chain.submitEvidence(encodeEvidence(evidence));
      this.onOutcome({ offence: evidence.kind, accused, outcome: 'slashed', detail: 'judged by the contract', hash, gasUsed });
    } catch (error) {
      const refused = isPicoloError(error) && /REFUSED|REVERT/.test(error.code);
      if (!refused) this.reported.delete(key); // the chain was away: the next finding tries again
      this.onOutcome({ offence: evidence.kind, accused, outcome: refused ? 'refused' : 'kept', detail: error instanceof Error ? error.message : String(error) });
    }
  }
}

/** The consensus' own words for a contradiction as evidence. */
export function evidenceOf(offence: Offence, roster: Roster, beneficiary: Address): Evidence {
  return { ...offence, roster, beneficiary };
}
