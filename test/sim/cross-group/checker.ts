import type { CommittedBlock } from '../../../protocol/consensus/index.ts';
import { partOf, payloadOf, planIdOf } from '../../../protocol/cross-group/index.ts';
import type { Command, EntryId, Timestamp } from '../../../protocol/types/index.ts';
import { FIRST_UNITS } from './clients.ts';
import { bankOf, type GroupWorld } from './group.ts';
import type { Bank } from './bank.ts';

/** What must hold between groups, whatever happens inside them. Looks at committed chains alone. */
export class BankChecker {
  private readonly bank: Bank;
  private readonly verdicts = new Map<string, string>();
  private readonly chains = new Map<string, string>();
  private readonly resolved = new Set<string>();
  /** Timestamp of the prepare behind every intent. */
  private readonly prepares = new Map<string, Map<EntryId, Timestamp>>();
  commits = 0;
  aborts = 0;
  snapshots = 0;

  constructor(bank: Bank) {
    this.bank = bank;
  }

  committed(group: GroupWorld, block: CommittedBlock): void {
    const place = `${group.config.group} ${block.height}`;
    const told = `${block.blockHash} ${block.entries.map(({ id, outcome }) => id + outcome).join()}`;
    const before = this.chains.get(place);
    if (before !== undefined && before !== told) this.bank.violate('agreement', `two blocks at ${place}`);
    if (before !== undefined) return;
    this.chains.set(place, told);
    for (const { command, outcome, id, ts } of block.entries) if (outcome === 'applied') this.applied(group, command, id, ts);
  }

  private applied(group: GroupWorld, command: Command, id: EntryId, ts: Timestamp): void {
    const payload = payloadOf(command);
    if (payload === undefined) return;
    const plan = planIdOf(payload.plan);
    if (payload.kind === 'prepare') {
      const known = this.prepares.get(plan) ?? new Map<EntryId, Timestamp>();
      this.prepares.set(plan, known.set(id, ts));
      return;
    }
    const decision = payload.kind === 'decide' ? payload.decision : payload.decided;
    this.agree(plan, decision.verdict === 'commit' ? `commit at ${decision.ts}` : 'abort', payload.kind);
    if (payload.kind === 'decide') return;
    const place = `${plan} ${payload.database}`;
    if (this.resolved.has(place)) this.bank.violate('atomic', `${place} was resolved twice`);
    this.resolved.add(place);
    if (decision.verdict === 'commit') this.committedPart(group, command, plan, ts);
    else this.aborts += 1;
  }

  /** One decision per plan, and every participant follows it. */
  private agree(plan: string, verdict: string, where: string): void {
    const before = this.verdicts.get(plan);
    if (before !== undefined && before !== verdict) this.bank.violate('atomic', `${plan} was decided as ${before}, and ${where} says ${verdict}`);
    this.verdicts.set(plan, verdict);
  }

  /** At the highest time of the prepares, on what the part had read. */
  private committedPart(group: GroupWorld, command: Command, plan: string, ts: Timestamp): void {
    this.commits += 1;
    const highest = [...(this.prepares.get(plan)?.values() ?? [])].reduce((max, one) => (one > max ? one : max), 0n as Timestamp);
    if (ts !== highest) this.bank.violate('timestamp', `${plan} was committed at ${ts}, its highest prepare is ${highest}`);
    const ledger = bankOf(group.nodes.reduce((best, node) => (bankOf(node).height > bankOf(best).height ? node : best)));
    for (const { path, version, mode } of partOf(command)?.items ?? []) {
      const at = mode === 'R' ? ledger.balance(path, ts) : undefined;
      if (at !== undefined && at.version !== version) this.bank.violate('isolation', `${plan} read ${version} of ${path}, at its time it was ${at.version}`);
    }
  }

  /** Readers at one closed time in all groups see all of a transaction or nothing: no units are on their way. */
  snapshot(): void {
    const ledgers = this.bank.groups.map((group) => bankOf(this.bank.random.faults.pick(group.nodes)));
    const at = ledgers.reduce((min, { closeTs }) => (closeTs < min ? closeTs : min), ledgers[0]?.closeTs as Timestamp);
    const sums = ledgers.map((ledger) => ledger.total(at));
    const full = this.bank.plan.accounts * FIRST_UNITS;
    if (sums.includes(0)) return; // before the accounts are funded
    this.snapshots += 1;
    const sum = sums.reduce((a, b) => a + b, 0);
    if (sum !== full * ledgers.length) this.bank.violate('snapshot', `${sum} units of ${full * ledgers.length} are seen at ${at}`);
  }

  /** After calm: no intent is left, and everybody has the same. */
  end(): void {
    for (const group of this.bank.groups) {
      for (const node of group.nodes) {
        for (const id of bankOf(node).intents.keys()) this.bank.violate('stuck', `replica ${node.index} of ${group.config.group.slice(0, 8)} holds intent ${id}`);
      }
    }
    this.snapshot();
  }
}
