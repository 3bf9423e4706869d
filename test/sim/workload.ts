import { MAX_TIMESTAMP } from '../../protocol/hlc/index.ts';
import { ZERO_HASH, type Command, type ReplicaIndex } from '../../protocol/types/index.ts';
import { EPOCH_MS } from './clock.ts';
import { bodyOf, encodeCommand, pathOf, type TestCommand } from './commands.ts';
import { written } from './ledger.ts';
import type { World } from './world.ts';

/** What a client knows of a key. */
export interface Known {
  readonly version: string;
  readonly value: readonly string[] | undefined;
}

/** A command, where it went, and what its client had read. */
export interface Submitted {
  readonly command: Command;
  gateway: ReplicaIndex;
  readonly reads: ReadonlyMap<string, readonly string[] | undefined>;
  readonly atMs: number;
}

/** Bank accounts start with this much. */
export const OPENING_BALANCE = 100;
export const ACCOUNTS = 4;

type Draft = Pick<TestCommand, 'items' | 'removes' | 'sets' | 'unique'>;

/** Clients: small transactions over lists, registers, a bank and a unique index, some of them cheating. */
export class Workload {
  readonly submitted = new Map<string, Submitted>();
  /** What clients were told about keys last. */
  private readonly newest = new Map<string, Known>();
  private nonce = 0;
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  schedule(): void {
    const { plan, random, events } = this.world;
    const spanMs = plan.mode === 'liveness' ? plan.durationMs * 0.75 : plan.durationMs * 0.9;
    for (let i = 0; i < plan.commands; i++) events.after(20 + random.workload.unit() * spanMs, () => this.one());
  }

  /** A receipt said that this command was applied: its client knows what it left behind. */
  learned(command: Command, entry: string): void {
    const read = this.submitted.get(command.id)?.reads;
    const removed = new Set(bodyOf(command).removes);
    for (const { path, mode } of command.items) {
      if (mode !== 'W' || path === command.noncePath) continue;
      const known = removed.has(path) ? { version: ZERO_HASH, value: undefined } : { version: entry, value: written(command, path, read?.get(path)) };
      this.newest.set(path, known);
    }
  }

  /** Clients whose gateway died, or never answered, ask another one. */
  askAgain(gateways: readonly ReplicaIndex[], isOpen: (id: string) => boolean): void {
    for (const submitted of this.submitted.values()) {
      if (!isOpen(submitted.command.id)) continue;
      submitted.gateway = gateways[submitted.gateway % gateways.length] as ReplicaIndex;
      this.world.nodes[submitted.gateway]?.submit(submitted.command);
    }
  }

  private one(): void {
    const { plan, random: { workload: random }, nodes } = this.world;
    const gateway = random.int(nodes.length);
    const test = this.draw(gateway);
    this.send(test, gateway);
    if (random.chance(plan.workload.twoGateways)) this.send(test, random.int(nodes.length));
    if (random.chance(plan.workload.forms)) this.send({ ...test, signature: 'shared' }, random.int(nodes.length));
    if (random.chance(plan.workload.equivocation)) this.send({ ...this.draw(gateway), nonce: test.nonce, client: test.client, salt: 1 }, random.int(nodes.length));
  }

  send(test: TestCommand, gateway: ReplicaIndex): Command {
    const command = encodeCommand(test);
    if (!this.submitted.has(command.id)) {
      const reads = new Map(test.items.map(([path]) => [path, this.valueRead.get(path)]));
      this.submitted.set(command.id, { command, gateway, reads, atMs: this.world.events.now });
    }
    this.world.onSubmit(command);
    this.world.nodes[gateway]?.submit(command);
    return command;
  }

  /** Values that the command being drawn was based on. */
  private readonly valueRead = new Map<string, readonly string[] | undefined>();

  private read(name: string, gateway: ReplicaIndex): { path: string; known: Known } {
    const path = pathOf(name);
    const told = this.newest.get(path);
    const known = told !== undefined && this.world.random.workload.chance(0.7) ? told : (this.world.nodes[gateway]?.ledger.read(path) as Known);
    this.valueRead.set(path, known.value);
    return { path, known };
  }

  draw(gateway: ReplicaIndex): TestCommand {
    const { plan, random: { workload: random } } = this.world;
    const which = random.unit();
    const draft = which < 0.55 ? this.lists(gateway) : which < 0.75 ? this.register(gateway) : which < 0.9 ? this.transfer(gateway) : this.uniqueRow(gateway);
    const expiring = random.chance(0.05);
    const bad = random.chance(plan.workload.invalid);
    return {
      client: `c${random.int(8)}`, nonce: this.nonce++, salt: 0, ...draft, invalid: bad && random.chance(0.5), hidden: bad && random.chance(0.5) ? pathOf('L0') : null,
      classicOnly: random.chance(0.05),
      notAfter: `${expiring ? BigInt(Math.floor(EPOCH_MS + this.world.events.now + 300)) << 48n : MAX_TIMESTAMP}`,
    };
  }

  /** Reads some lists and appends to others. */
  private lists(gateway: ReplicaIndex): Draft {
    const { plan, random: { workload: random } } = this.world;
    const names = new Set<number>();
    const count = Math.min(1 + random.int(3), plan.keys);
    while (names.size < count) names.add(random.int(plan.keys));
    const items = [...names].map((i) => {
      const { path, known } = this.read(`L${i}`, gateway);
      return [path, known.version, random.chance(plan.workload.reads) ? 'R' : 'W'] as const;
    });
    return { items, removes: [], sets: {}, unique: null };
  }

  /** One register: read, compare and set, or remove. */
  private register(gateway: ReplicaIndex): Draft {
    const { plan, random: { workload: random } } = this.world;
    const { path, known } = this.read(`K${random.int(plan.keys)}`, gateway);
    const mode = random.chance(plan.workload.reads) ? 'R' : 'W';
    const remove = mode === 'W' && known.version !== ZERO_HASH && random.chance(plan.workload.removes * 4);
    const sets = mode === 'W' && !remove ? { [path]: `v${this.nonce}.${random.int(1e6)}` } : {};
    return { items: [[path, known.version, mode]], removes: remove ? [path] : [], sets, unique: null };
  }

  /** Moves money from one account to another, as clients do: with the new balances computed from what they read. */
  private transfer(gateway: ReplicaIndex): Draft {
    const { workload: random } = this.world.random;
    const from = random.int(ACCOUNTS);
    const to = (from + 1 + random.int(ACCOUNTS - 1)) % ACCOUNTS;
    const amount = 1 + random.int(20);
    const sides = [[from, -amount], [to, amount]] as const;
    const items: [string, string, 'W'][] = [];
    const sets: Record<string, string> = {};
    for (const [account, change] of sides) {
      const { path, known } = this.read(`A${account}`, gateway);
      items.push([path, known.version, 'W']);
      sets[path] = `${Number(known.value?.[0] ?? OPENING_BALANCE) + change}`;
    }
    return { items, removes: [], sets, unique: null };
  }

  /** Inserts a row with a unique value, or removes the row that has it. */
  private uniqueRow(gateway: ReplicaIndex): Draft {
    const { workload: random } = this.world.random;
    const index = this.read(`U${random.int(3)}`, gateway);
    const owner = index.known.value?.[0];
    const name = owner ?? `R${this.nonce}.${random.int(1e6)}`;
    const row = this.read(name, gateway);
    const items = [[row.path, row.known.version, 'W'], [index.path, index.known.version, 'W']] as const;
    if (owner !== undefined) return { items, removes: [row.path, index.path], sets: {}, unique: index.path };
    return { items, removes: [], sets: { [row.path]: index.path, [index.path]: name }, unique: index.path };
  }
}
