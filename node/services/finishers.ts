import { decode, encode } from '../../protocol/codec/index.ts';
import { decodeCertifiedBlock, type CertifiedBlock, type Receipt } from '../../protocol/consensus/index.ts';
import { decidedC, Finisher, planIdOf, type Action, type CrossGroupMessage, type Decided, type Prepare } from '../../protocol/cross-group/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Address, GroupId, Hash32, TxId } from '../../protocol/types/index.ts';
import type { GroupHost, Groups, Member } from '../host/index.ts';
import type { AppliedBlock, ChainPort, Clock } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';

const TICK_MS = 100;
/** Aborts by timeout wait so long beyond `decideBy`, for the clocks of the group may be behind. */
const GRACE_MS = 1_000;
/** Who does not answer is told again after ever longer pauses. */
const LONGEST_PAUSE_MS = 10_000;

export interface FinisherServiceParts {
  readonly groups: Groups<SqlLedger>;
  readonly chain: ChainPort;
  readonly clock: Clock;
  readonly self: Address;
  /** Hands a message to a member of another group; what gets lost is told again. */
  carry(to: Address, group: GroupId, message: CrossGroupMessage): Promise<void>;
}

interface Running {
  readonly finisher: Finisher;
  readonly host: GroupHost;
  readonly submitted: Set<TxId>;
}

interface Pause {
  untilMs: number;
  lengthMs: number;
}

/**
 * A finisher beside each replica of this node (X-FINISH): whoever began a transaction over several groups and vanished, its open
 * intents here come to their end. What it knows is in the chain, so a new one starts with every replica.
 */
export class Finishers {
  readonly #parts: FinisherServiceParts;
  readonly #running = new Map<GroupId, Running>();
  readonly #pauses = new Map<string, Pause>();
  #telling = 0;
  #cancel: () => void = () => undefined;

  constructor(parts: FinisherServiceParts) {
    this.#parts = parts;
    this.#tick();
  }

  stop(): void {
    this.#cancel();
  }

  /** The group went live, or jumped to another state: begins with the blocks that can hold open intents (X-CLOSE). */
  follow(group: GroupId): void {
    const member = this.#parts.groups.members.get(group);
    if (member?.host === undefined) return void this.#running.delete(group);
    const { host, storage } = member;
    const { proofs, read } = this.#parts.groups;
    const finisher = new Finisher({
      place: { group, epoch: host.config.epoch }, proofs, readPart: read, graceMs: GRACE_MS, recall: (plan) => recalled(storage.ledger, plan),
    });
    for (const block of this.#openBlocks(member)) finisher.onBlock(block);
    this.#running.set(group, { finisher, host, submitted: new Set() });
  }

  committed(group: GroupId, { entries, encoded }: AppliedBlock): void {
    const finisher = this.#running.get(group)?.finisher;
    if (finisher === undefined || (!finisher.waits && entries.every(({ command }) => command.stage === undefined))) return;
    finisher.onBlock(decodeCertifiedBlock(encoded, this.#parts.groups.read));
  }

  /** The proof of a prepare that this node saw executed, for a client that asks again. */
  preparedBefore(group: GroupId, prepare: Prepare): Receipt | undefined {
    return this.#running.get(group)?.finisher.proofOf(prepare);
  }

  /** Takes what anybody carries here; answers with the decision once it is known. */
  carried(group: GroupId, message: CrossGroupMessage): Decided | undefined {
    const finisher = this.#running.get(group)?.finisher;
    finisher?.onMessage(message);
    return finisher?.decisionOf(planIdOf(message.plan));
  }

  #tick(): void {
    const { clock } = this.#parts;
    this.#cancel = clock.after(TICK_MS, () => this.#tick());
    const nowMs = clock.nowMs();
    for (const [old, { untilMs, lengthMs }] of this.#pauses) if (nowMs > untilMs + 2 * lengthMs + TICK_MS) this.#pauses.delete(old);
    for (const [group, running] of this.#running) for (const action of running.finisher.onTick(nowMs)) this.#act(group, running, action);
  }

  #act(group: GroupId, { host, submitted }: Running, action: Action): void {
    switch (action.kind) {
      case 'submit': {
        const { command } = action;
        if (submitted.has(command.id) || !host.accepts(command)) return;
        submitted.add(command.id);
        const again = (): void => void submitted.delete(command.id);
        host.submit(command).then(again, again);
        return;
      }
      case 'tell': return this.#tell(action.group, action.message);
      case 'keep': return this.#parts.groups.member(group).storage.ledger.keepDecision(action.plan, encode(decidedC, action.decided));
    }
  }

  #tell(group: GroupId, message: CrossGroupMessage): void {
    const { chain, clock, self } = this.#parts;
    this.carried(group, message); // this node may be a member there too
    for (const to of chain.group(group)?.roster ?? []) {
      const key = `${to}${group}${planIdOf(message.plan)}${message.kind}`;
      if (to === self || this.#telling >= limits.proofsCarried || !this.#mayTell(key, clock.nowMs())) continue;
      this.#telling += 1;
      const told = (): void => void (this.#telling -= 1);
      this.#parts.carry(to, group, message).then(told, told); // what failed is told again, or another member tells it
    }
  }

  #mayTell(key: string, nowMs: number): boolean {
    const known = this.#pauses.get(key);
    if (known !== undefined && nowMs < known.untilMs) return false;
    const lengthMs = known === undefined ? TICK_MS : Math.min(2 * known.lengthMs, LONGEST_PAUSE_MS);
    this.#pauses.set(key, { untilMs: nowMs + lengthMs, lengthMs });
    return true;
  }

  /** Committed blocks with timestamps above the closed one, in order. */
  #openBlocks({ storage: { ledger } }: Member<SqlLedger>): CertifiedBlock[] {
    const blocks: CertifiedBlock[] = [];
    const { height, closeTs } = ledger.position();
    for (let at = height; at > 0n; at--) {
      const encoded = ledger.blockAt(at);
      if (encoded === undefined) break;
      const block = decodeCertifiedBlock(encoded, this.#parts.groups.read);
      if (block.block.header.maxTs <= closeTs) break;
      blocks.unshift(block);
    }
    return blocks;
  }
}

function recalled(ledger: SqlLedger, plan: Hash32): Decided | undefined {
  const kept = ledger.decision(plan);
  return kept === undefined ? undefined : decode(decidedC, kept);
}
