import { verifyReceipt, type GroupConfig, type Outcome, type Receipt } from '../../../protocol/consensus/index.ts';
import type { Command, Timestamp } from '../../../protocol/types/index.ts';
import type { Signatures } from '../signatures.ts';
import type { ChainChecker } from './chain.ts';
import type { Violate } from './index.ts';

interface Final {
  readonly command: Command;
  readonly entry: string;
  readonly ts: Timestamp;
  readonly outcome: Outcome;
  readonly fast: boolean;
}

/** What clients were told: never contradicted, in real-time order, and always in the chain in the end. */
export class ClientChecker {
  readonly finals = new Map<string, Final>();
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

  receipt(config: GroupConfig, signatures: Signatures, command: Command, receipt: Receipt, honestGateway: boolean): void {
    const outcome = verifyReceipt(config, receipt, signatures);
    if (outcome === undefined) {
      if (honestGateway) this.violate('receipt', `an honest gateway gave a receipt that proves nothing for ${command.id}`);
      return;
    }
    const { entry, ts } = receipt;
    const before = this.finals.get(command.id);
    if (before !== undefined && (before.entry !== entry || before.outcome !== outcome)) {
      this.violate('contradiction', `${command.id} was ${before.outcome} as ${before.entry}, then ${outcome} as ${entry}`);
    }
    if (before !== undefined) return;
    if (receipt.kind === 'fast') this.fast += 1;
    else this.classic += 1;
    this.finals.set(command.id, { command, entry, ts, outcome, fast: receipt.kind === 'fast' });
    if (outcome === 'applied') this.exclusive(command, entry);
    const floor = this.floors.get(command.id) ?? (0n as Timestamp);
    if (ts <= floor) this.violate('external', `${command.id} got ${ts}, but ${floor} was final before it was submitted`);
    if (ts > this.latestTs) this.latestTs = ts;
    this.check(entry, outcome);
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

  private check(entry: string, outcome: Outcome): void {
    const fate = this.chain.fate.get(entry);
    if (fate !== undefined && fate !== outcome) this.violate('undone', `${entry} was final as ${outcome}, the chain says ${fate}`);
  }

  /** After every commit: what was fast-final is executed as promised, or can still be. */
  afterCommit(block: { readonly entries: readonly { readonly command: Command; readonly id: string; readonly outcome: Outcome }[] }): void {
    for (const { command, id, outcome } of block.entries) {
      if (outcome === 'skipped') continue;
      const final = this.finals.get(command.id);
      if (final !== undefined && (final.entry !== id || final.outcome !== outcome)) {
        this.violate('undone', `${command.id} was final as ${final.entry} ${final.outcome}, the chain executed ${id} ${outcome}`);
      }
    }
    for (const { command, entry, ts, fast } of this.finals.values()) {
      if (!fast || this.chain.fate.has(entry)) continue;
      if (ts <= this.chain.closeTs) this.violate('closed', `final ${entry} at ${ts} is not in the chain that closed ${this.chain.closeTs}`);
      if (this.chain.commandFate.has(command.id)) this.violate('undone', `final ${entry} was overtaken by ${this.chain.commandFate.get(command.id)}`);
    }
  }
}
