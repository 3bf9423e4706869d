import { verifyReceipt, type GroupConfig, type Outcome, type Receipt, type Refusal } from '../../../protocol/consensus/index.ts';
import type { Command, Timestamp } from '../../../protocol/types/index.ts';
import type { Signatures } from '../signatures.ts';
import type { ChainChecker } from './chain.ts';
import type { Violate } from './index.ts';

/** What a client was told about its command, once and for all. */
export interface Told {
  readonly command: Command;
  readonly entry: string;
  readonly ts: Timestamp;
  readonly outcome: Outcome;
  readonly fast: boolean;
  readonly atMs: number;
}

/** What clients were told: never contradicted, in real-time order, and always in the chain in the end. */
export class ClientChecker {
  readonly finals = new Map<string, Told>();
  /** Fast finals that no block contains yet. */
  private readonly unswept = new Set<Told>();
  private readonly refusals = new Map<string, { command: Command; reason: Refusal }>();
  private readonly floors = new Map<string, Timestamp>();
  private latestTs = 0n as Timestamp;
  private readonly byNonce = new Map<string, string>();
  private readonly byVersion = new Map<string, string>();
  private readonly violate: Violate;
  private readonly chain: ChainChecker;
  fast = 0;
  classic = 0;

  constructor(violate: Violate, chain: ChainChecker) {
    this.violate = violate;
    this.chain = chain;
  }

  /** Whatever was final before a command was first submitted must be older than it (consensus §2.10). */
  submitted(command: Command): void {
    if (!this.floors.has(command.id)) this.floors.set(command.id, this.latestTs);
  }

  /** Commands that wait for an answer. */
  open(): string[] {
    return [...this.floors.keys()].filter((id) => this.isOpen(id));
  }

  isOpen(id: string): boolean {
    return this.floors.has(id) && !this.finals.has(id) && !this.refusals.has(id);
  }

  /** `sealed` and `overloaded` say: try again. The others are answers. */
  refused(command: Command, reason: Refusal): void {
    if (reason === 'sealed' || reason === 'overloaded' || this.finals.has(command.id)) return;
    this.refusals.set(command.id, { command, reason });
  }

  receipt(config: GroupConfig, signatures: Signatures, command: Command, receipt: Receipt, honestGateway: boolean, atMs: number): Outcome | undefined {
    const outcome = verifyReceipt(config, receipt, signatures);
    if (outcome === undefined) {
      if (honestGateway) this.violate('receipt', `an honest gateway gave a receipt that proves nothing for ${command.id}`);
      return undefined;
    }
    const { entry, ts } = receipt;
    const before = this.finals.get(command.id);
    if (before !== undefined && (before.entry !== entry || before.outcome !== outcome)) {
      this.violate('contradiction', `${command.id} was ${before.outcome} as ${before.entry}, then ${outcome} as ${entry}`);
    }
    if (before !== undefined) return outcome;
    const told: Told = { command, entry, ts, outcome, fast: receipt.kind === 'fast', atMs };
    if (told.fast) this.fast += 1;
    else this.classic += 1;
    this.finals.set(command.id, told);
    if (told.fast && !this.chain.fate.has(entry)) this.unswept.add(told);
    if (outcome === 'applied') this.exclusive(command, entry);
    this.inOrder(command, ts);
    const fate = this.chain.fate.get(entry);
    if (fate !== undefined && fate !== outcome) this.violate('undone', `${entry} was final as ${outcome}, the chain says ${fate}`);
    return outcome;
  }

  private inOrder(command: Command, ts: Timestamp): void {
    const floor = this.floors.get(command.id) ?? (0n as Timestamp);
    if (ts <= floor) this.violate('external', `${command.id} got ${ts}, but ${floor} was final before it was submitted`);
    if (ts > this.latestTs) this.latestTs = ts;
  }

  /** Two finals never use up the same nonce or the same version. */
  private exclusive(command: Command, entry: string): void {
    const other = this.byNonce.get(command.noncePath);
    if (other !== undefined && other !== entry) this.violate('exactly-once', `two finals for one nonce: ${other} and ${entry}`);
    this.byNonce.set(command.noncePath, entry);
    for (const { path, version, mode } of command.items) {
      if (mode !== 'W' || /^0x0+$/.test(version)) continue; // an absent key can become absent again
      const taken = this.byVersion.get(`${path}${version}`);
      if (taken !== undefined && taken !== entry) this.violate('lost-update', `${entry} and ${taken} both replaced ${version}`);
      this.byVersion.set(`${path}${version}`, entry);
    }
  }

  /** After every new block: what was fast-final is executed as promised, or still can be (invariant 2). */
  afterCommit(block: { readonly entries: readonly { readonly command: Command; readonly id: string; readonly outcome: Outcome }[] }): void {
    for (const { command, id, outcome } of block.entries) {
      if (outcome === 'skipped') continue;
      const final = this.finals.get(command.id);
      if (final !== undefined && (final.entry !== id || final.outcome !== outcome)) {
        this.violate('undone', `${command.id} was final as ${final.entry} ${final.outcome}, the chain executed ${id} ${outcome}`);
      }
    }
    for (const told of this.unswept) {
      if (this.chain.fate.has(told.entry)) {
        this.unswept.delete(told);
        continue;
      }
      const why = this.chain.impossible({ id: told.entry, ts: told.ts, command: told.command });
      if (why !== undefined) this.violate('undone', `final ${told.entry} at ${told.ts} can no longer happen: ${why}`);
    }
  }

  /** A refusal is an answer too: what was called expired never runs, what was called superseded has run. */
  end(): void {
    for (const [id, { command, reason }] of this.refusals) {
      const ran = this.chain.commandFate.get(id);
      const applied = ran !== undefined && this.chain.fate.get(ran) === 'applied';
      if (reason === 'expired' && applied) this.violate('contradiction', `${id} was refused as expired and then applied`);
      if (reason !== 'superseded' || this.chain.nonces.has(command.noncePath)) continue;
      this.violate('contradiction', `${id} was refused as superseded, and nothing used its nonce`);
    }
  }
}
