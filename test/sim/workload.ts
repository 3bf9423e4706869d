import { MAX_TIMESTAMP } from '../../protocol/hlc/index.ts';
import { ZERO_HASH, type Command, type ReplicaIndex } from '../../protocol/types/index.ts';
import { encodeCommand, inForm, pathOf, type TestCommand } from './commands.ts';
import type { World } from './world.ts';

/** Clients: small transactions over a few keys, some of them cheating. */
export class Workload {
  readonly submitted = new Map<string, { command: Command; gateway: ReplicaIndex; twin: boolean }>();
  /** Newest version of each key that a client was told about. */
  private readonly newest = new Map<string, string>();
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

  learned(command: Command, entry: string): void {
    const removed = new Set(JSON.parse(new TextDecoder().decode(command.bytes)).removes as string[]);
    for (const { path, mode } of command.items) if (mode === 'W') this.newest.set(path, removed.has(path) ? ZERO_HASH : entry);
  }

  private one(): void {
    const { plan, random, nodes } = this.world;
    const gateway = random.workload.int(nodes.length);
    const test = this.draw(gateway);
    this.send(encodeCommand(test), gateway, false);
    if (random.workload.chance(plan.workload.twoGateways)) this.send(encodeCommand(test), random.workload.int(nodes.length), true);
    if (plan.workload.forms !== undefined && random.workload.chance(plan.workload.forms)) {
      this.send(inForm(encodeCommand(test), 'shared'), random.workload.int(nodes.length), true);
    }
    if (random.workload.chance(plan.workload.equivocation)) {
      this.send(encodeCommand({ ...this.draw(gateway), nonce: test.nonce, salt: 1 }), random.workload.int(nodes.length), true);
    }
  }

  private send(command: Command, gateway: ReplicaIndex, twin: boolean): void {
    if (!this.submitted.has(command.id)) this.submitted.set(command.id, { command, gateway, twin });
    this.world.checkers.clients.submitted(command);
    this.world.nodes[gateway]?.submit(command);
  }

  private draw(gateway: ReplicaIndex): TestCommand {
    const { plan, random } = this.world;
    const names = new Set<string>();
    const count = 1 + random.workload.int(3);
    while (names.size < Math.min(count, plan.keys)) names.add(pathOf(`${random.workload.int(plan.keys)}`));
    const items = [...names].map((path) => [path, this.versionOf(path, gateway), random.workload.chance(plan.workload.reads) ? 'R' : 'W'] as const);
    const removes = items.filter(([, version, mode]) => mode === 'W' && version !== ZERO_HASH && random.workload.chance(plan.workload.removes)).map(([path]) => path);
    const expiring = random.workload.chance(0.05);
    return {
      client: `c${random.workload.int(8)}`, nonce: this.nonce++, salt: 0, items, removes, invalid: random.workload.chance(plan.workload.invalid),
      classicOnly: random.workload.chance(0.05), notAfter: `${expiring ? BigInt(Math.floor(1_000_000 + this.world.events.now + 300)) << 48n : MAX_TIMESTAMP}`,
    };
  }

  /** What the client was told last, or what its gateway has. */
  private versionOf(path: string, gateway: ReplicaIndex): string {
    const told = this.newest.get(path);
    if (told !== undefined && this.world.random.workload.chance(0.7)) return told;
    return this.world.nodes[gateway]?.ledger.versionOf(path as never)?.version ?? ZERO_HASH;
  }
}
