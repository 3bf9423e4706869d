import {
  blockHashOf, decodeCertifiedBlock, statementOf, type CommittedBlock, type JournalRecord, type Outcome, type Receipt, type Refusal, type SignedMessage,
} from '../../../protocol/consensus/index.ts';
import type { CertifiedCheckpoint } from '../../../protocol/membership/index.ts';
import { maxFaulty, quorumOf, type Command } from '../../../protocol/types/index.ts';
import { isSigned, readCommand } from '../commands.ts';
import type { SimNode } from '../node.ts';
import type { World } from '../world.ts';
import { Batches } from './batches.ts';
import { checkBounds } from './bounds.ts';
import { CertificateChecker } from './certificates.ts';
import { ChainChecker } from './chain.ts';
import { ClientChecker } from './clients.ts';
import { ConsumptionChecker } from './consumption.ts';
import { DurabilityChecker } from './durability.ts';
import { judgeHistory } from './history.ts';
import { SignatureChecker } from './signatures.ts';
import { SnapshotChecker } from './snapshots.ts';

/** Reports a broken invariant by name. */
export type Violate = (invariant: string, what: string) => void;

/** All judges of a run. They see effects and signatures, never the core's state (only `bounds` counts what it holds). */
export class Checkers {
  readonly chain: ChainChecker;
  readonly clients: ClientChecker;
  readonly signatures: SignatureChecker;
  private readonly batches = new Batches();
  private readonly certificates: CertificateChecker;
  private readonly consumption: ConsumptionChecker;
  private readonly durability: DurabilityChecker;
  private readonly checkpointVotes: { readonly by: number; readonly height: bigint; readonly told: string }[] = [];
  private readonly snapshots: SnapshotChecker;
  private readonly checkpoints = new Map<bigint, string>();
  private readonly world: World;
  private readonly violate: Violate;

  constructor(world: World, violate: Violate) {
    this.world = world;
    this.violate = violate;
    this.chain = new ChainChecker(violate);
    this.clients = new ClientChecker(violate, this.chain);
    this.signatures = new SignatureChecker(violate, this.batches);
    this.certificates = new CertificateChecker(violate, this.batches, quorumOf(world.plan.replicas));
    this.consumption = new ConsumptionChecker(violate, this.batches);
    this.durability = new DurabilityChecker(violate, this.batches, this.chain);
    this.snapshots = new SnapshotChecker(violate, this.chain);
  }

  submitted(command: Command): void {
    this.chain.submit(command.id);
    this.clients.submitted(command);
  }

  signed(node: SimNode, message: SignedMessage): void {
    this.batches.noteMessage(message);
    this.signatures.signed(node.index, node.honest, message, statementOf(message));
    if (message.kind === 'fastVote') this.certificates.voted(node.index, message);
    if (!node.honest || node.damaged) return;
    this.durability.signed(node.index, message);
    this.consumption.signed(node.index, message);
    if (message.kind !== 'checkpointVote') return;
    const { height, stateRoot, detail } = message.value;
    this.checkpointVotes.push({ by: node.index, height, told: `${stateRoot}${detail}` });
  }

  recorded(node: SimNode, record: JournalRecord): void {
    if (node.honest && record.kind === 'voted') this.consumption.recorded(record, blockHashOf(record.block.header));
  }

  receipt(node: SimNode, command: Command, receipt: Receipt): Outcome | undefined {
    return this.clients.receipt(node.config, this.world.signatures, command, receipt, node.honest, this.world.events.now);
  }

  /** A liar may refuse what it likes; its client asks elsewhere. */
  refused(command: Command, reason: Refusal, honest: boolean): void {
    if (honest) this.clients.refused(command, reason);
  }

  committed(node: SimNode, block: CommittedBlock): void {
    this.provable(node.index, block);
    if (!this.chain.committed(node.index, block)) return;
    const { header } = decodeCertifiedBlock(block.encoded, readCommand).block;
    if (header.kind === 'opening') this.chain.openings.add(`${header.epoch}/${header.view}`);
    this.clients.afterCommit(block);
  }

  /** What an honest replica holds of a row must convince strangers: names do not cover signatures, so agreement alone does not say it. */
  private provable(node: number, block: CommittedBlock): void {
    for (const { id, command } of block.entries) if (!isSigned(command)) this.violate('provable', `replica ${node} committed ${id} unsigned`);
  }

  certified(node: SimNode, { checkpoint, detail }: CertifiedCheckpoint): void {
    const told = `${checkpoint.stateRoot}${checkpoint.detail}`;
    const before = this.checkpoints.get(checkpoint.height);
    if (before !== undefined && before !== told) this.violate('checkpoint', `two certified checkpoints at ${checkpoint.height}`);
    this.checkpoints.set(checkpoint.height, told);
    this.snapshots.take(node.index, detail.closeTs, node.ledger.snapshot(detail.closeTs));
  }

  get checkpointCount(): number {
    return this.checkpoints.size;
  }

  /** Looked at now and then. */
  bounds(): void {
    for (const node of this.world.nodes) if (node.honest && node.up) checkBounds(this.violate, node, this.world.workload.submitted.size);
  }

  /** What can only be judged when the run is over. */
  end(): void {
    for (const { honest, index, ledger } of this.world.nodes) if (honest) this.snapshots.take(index, ledger.closeTs, ledger.snapshot(ledger.closeTs));
    this.clients.end();
    for (const { by, height, told } of this.checkpointVotes) {
      const certified = this.checkpoints.get(height);
      if (certified !== undefined && certified !== told) this.violate('slashable', `honest ${by}: FalseCheckpoint at ${height}`);
    }
    const finals = [...this.clients.finals.values()].filter(({ outcome }) => outcome === 'applied');
    this.snapshots.end(finals.map(({ entry, ts, command }) => ({ id: entry, ts, command })));
    judgeHistory(this.violate, this.world.workload.submitted.values(), (id) => this.clients.finals.get(id), this.world.events.now);
  }

  /** Invariant 16: whenever safety breaks, at least f + 1 keys hold punishable pairs. Names of what is missing. */
  accountable(): string | undefined {
    const guilty = this.signatures.guilty();
    const least = maxFaulty(this.world.plan.replicas) + 1;
    return guilty.length >= least ? undefined : `only ${guilty.join() || 'nobody'} can be punished, ${least} must be`;
  }
}
