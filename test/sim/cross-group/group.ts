import {
  decodeCertifiedBlock, statementOf, verifyMessage, type CommittedBlock, type GroupConfig, type Message, type Reply, type SignedMessage, type Verifier,
} from '../../../protocol/consensus/index.ts';
import { crossGroupVerifier, Finisher, provesThePresent, type Action, type CrossGroupMessage } from '../../../protocol/cross-group/index.ts';
import type { CrossGroupRules } from '../../../protocol/cross-group/rules.ts';
import type { Command, Epoch, ReplicaIndex, TxId } from '../../../protocol/types/index.ts';
import { readCommand } from '../commands.ts';
import type { Ledger } from '../ledger.ts';
import { SimNode } from '../node.ts';
import { World } from '../world.ts';
import { BankLedger } from './ledger.ts';
import type { Bank } from './bank.ts';

const TICK_MS = 50;

/** Plan of one of the groups. */
export type GroupPlan = World['plan'] & { readonly crossRules: CrossGroupRules };

/** One group among several: the machines of the simulator, each with a finisher beside its replica. */
export class GroupWorld extends World {
  readonly bank: Bank;
  private readonly finishers = new Map<SimNode, Finisher>();
  private readonly verifiers = new Map<Epoch, Verifier>();
  private readonly judged = new WeakMap<Message, Map<string, boolean>>();

  constructor(bank: Bank, plan: GroupPlan, name: string) {
    super(plan, bank.log, bank.events, name);
    this.bank = bank;
  }

  get epoch(): Epoch {
    return this.registryEpoch;
  }

  begin(): void {
    for (const node of this.nodes) {
      bankOf(node).timely = (command) => provesThePresent(this.bank.proofs(this.signatures), command);
      node.start();
      this.tick(node);
    }
    this.faults.schedule();
  }

  /** A client or a finisher hands over a command; hosts check before they believe. */
  offer(node: SimNode, command: Command): void {
    if (node.up && this.verifierOf(node.config.epoch).command(command)) node.submit(command);
  }

  tell(message: CrossGroupMessage): void {
    const { random, calm, events, plan } = this.bank;
    for (const node of this.nodes) {
      if (!calm && random.network.chance(plan.crossLoss)) continue;
      events.after(random.network.delay(3), () => node.up && this.finishers.get(node)?.onMessage(message));
    }
  }

  /** The finishers of f members may do nothing; the others finish. */
  private tick(node: SimNode): void {
    this.events.after(TICK_MS, () => this.tick(node));
    if (!node.up || node.halted || this.bank.isIdle(node)) return;
    for (const action of this.finishers.get(node)?.onTick(node.nowMs()) ?? []) this.act(node, action);
  }

  private act(node: SimNode, action: Action): void {
    if (action.kind === 'submit') this.offer(node, action.command);
    else if (action.kind === 'tell') this.bank.groupOf(action.group)?.tell(action.message);
  }

  /** Starts of machines and of epochs pass here: what a finisher knew is gone, the chain tells it again. */
  override hearRegistry(node: SimNode): void {
    if (this.bank === undefined) return;
    const { config } = node;
    const finisher = new Finisher({
      place: { group: config.group, epoch: config.epoch }, proofs: this.bank.proofs(this.signatures), readPart: readCommand, graceMs: 60,
    });
    this.finishers.set(node, finisher);
    for (const { encoded } of bankOf(node).blocks) finisher.onBlock(decodeCertifiedBlock(encoded, (bytes) => bankOf(node).commandOf(bytes)));
    super.hearRegistry(node);
  }

  override onCommit(node: SimNode, block: CommittedBlock): void {
    this.finishers.get(node)?.onBlock(decodeCertifiedBlock(block.encoded, (bytes) => bankOf(node).commandOf(bytes)));
    this.bank.committed(this, block);
  }

  override isValid(config: GroupConfig, from: ReplicaIndex, message: Message, arrived: Message): boolean {
    const known = this.judged.get(message) ?? new Map<string, boolean>();
    this.judged.set(message, known);
    const key = `${config.epoch}/${from}`;
    const valid = known.get(key) ?? verifyMessage(config, from, arrived, this.verifierOf(config.epoch));
    known.set(key, valid);
    return valid;
  }

  /** Judges of single groups follow the chain by plain rules, which know no stages; contradictions are contradictions here too. */
  override onSigned(node: SimNode, message: SignedMessage): void {
    this.checkers.signatures.signed(node.index, node.honest, message, statementOf(message));
  }

  override onReply(_node: SimNode, _id: TxId, _reply: Reply): void {
    // clients learn from the chain
  }

  override onCertified(): void {
    // checkpoints of a group alone are the business of the other worlds
  }

  override onEpoch(): void {
    // clients of the bank begin anew
  }

  protected override machine(index: ReplicaIndex): SimNode {
    // the machine asks of its ledger what an application answers and what a disk does to it, and the bank's has both
    return new SimNode(this, index, true, new BankLedger((this.plan as GroupPlan).crossRules) as unknown as Ledger);
  }

  private verifierOf(epoch: Epoch): Verifier {
    const known = this.verifiers.get(epoch) ?? crossGroupVerifier(this.bank.proofs(this.signatures), { group: this.config.group, epoch });
    this.verifiers.set(epoch, known);
    return known;
  }
}

export const bankOf = (node: SimNode): BankLedger => node.ledger as unknown as BankLedger;
