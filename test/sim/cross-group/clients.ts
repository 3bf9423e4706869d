import { abortFor, checkPlan, commandOf, commitOf, coordinatorOf, intentPathOf, planIdOf, type Plan, type Prepared } from '../../../protocol/cross-group/index.ts';
import { timestampOf } from '../../../protocol/hlc/index.ts';
import { ZERO_HASH, type Address, type Command, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import { encodeCommand, hashOf, pathOf, readCommand } from '../commands.ts';
import type { SimNode } from '../node.ts';
import { bankOf, type GroupWorld } from './group.ts';
import type { Bank } from './bank.ts';

export const FIRST_UNITS = 100;

interface Leg {
  readonly group: GroupWorld;
  readonly path: Path;
  readonly mode: 'R' | 'W';
  readonly units: number;
}

/** Clients of the bank: they move units between accounts of one group and of several, and some of them stop in the middle or lie. */
export class Clients {
  private readonly bank: Bank;
  private nonce = 0;

  constructor(bank: Bank) {
    this.bank = bank;
  }

  schedule(): void {
    const { plan, events, random } = this.bank;
    for (const group of this.bank.groups) events.after(60, () => this.fund(group));
    const spanMs = plan.durationMs - 400;
    for (let i = 0; i < plan.transfers; i++) {
      events.after(400 + random.workload.unit() * spanMs, () => (random.workload.chance(plan.local) ? this.local() : this.across()));
    }
  }

  accountOf(group: GroupWorld, index: number): Path {
    return pathOf(`${group.config.group} ${index}`);
  }

  private fund(group: GroupWorld): void {
    const paths = Array.from({ length: this.bank.plan.accounts }, (_, i) => this.accountOf(group, i));
    this.toAll(group, this.command(paths.map((path) => [path, ZERO_HASH, 'W', FIRST_UNITS]), undefined));
  }

  /** An ordinary transaction of one group, on the fast path. */
  private local(): void {
    const group = this.pick(this.bank.groups);
    const [from, to] = this.twoAccounts(group);
    const node = this.pick(group.nodes);
    const units = 1 + this.bank.random.workload.int(5);
    const rows = [[from, -units] as const, [to, units] as const].map(([path, more]) => this.row(node, path, 'W', more));
    if (rows.every((row) => row !== undefined)) group.offer(node, this.command(rows, undefined));
  }

  /** One transaction over two or three groups: units move between the first two, an account of the last is only read. */
  private across(): void {
    const { random, plan } = this.bank;
    const groups = shuffled(this.bank.groups, () => random.workload.unit());
    const units = 1 + random.workload.int(5);
    const [payer, payee] = groups as [GroupWorld, GroupWorld];
    const legs: Leg[] = [
      { group: payer, path: this.someAccount(payer), mode: 'W', units: -units }, { group: payee, path: this.someAccount(payee), mode: 'W', units },
    ];
    const reader = groups[2] ?? payer;
    const seen = this.someAccount(reader);
    if (random.workload.chance(plan.reads) && !legs.some(({ path }) => path === seen)) legs.push({ group: reader, path: seen, mode: 'R', units: 0 });
    this.begin(legs);
  }

  private begin(legs: readonly Leg[]): void {
    const { random, plan: { vanish, patienceMs }, events } = this.bank;
    const client = `c${this.nonce}`;
    const groups = [...new Set(legs.map(({ group }) => group))];
    const named = groups.map(({ config: { group }, epoch }) => ({ database: hashOf(`db ${group}`), group, epoch }));
    const participants = named.sort((a, b) => (a.database < b.database ? -1 : 1));
    const decideBy = timestampOf(Math.floor(1_000_000 + events.now + patienceMs), 0, 0);
    const writer = hashOf(client).slice(0, 42) as Address;
    const plan = checkPlan({ writer, salt: hashOf(`salt ${this.nonce}`), participants, decideBy });
    const prepares = groups.map((group) => ({ group, command: this.prepare(plan, client, group, legs) }));
    const seen = prepares.flatMap(({ group, command }) => (command === undefined ? [] : [{ group, command }]));
    if (seen.length < prepares.length) return;
    this.bank.began();
    const sent = random.workload.chance(vanish) ? seen.slice(0, random.workload.int(seen.length)) : seen;
    for (const { group, command } of sent) this.toAll(group, command);
    if (this.bank.plan.liars > 0 && random.workload.chance(this.bank.plan.liars)) this.lie(plan, seen);
  }

  private prepare(plan: Plan, client: string, group: GroupWorld, legs: readonly Leg[]): Command | undefined {
    const node = this.pick(group.nodes);
    const rows = legs.filter((leg) => leg.group === group).map(({ path, mode, units }) => this.row(node, path, mode, units));
    if (!rows.every((row) => row !== undefined)) return undefined;
    const database = hashOf(`db ${group.config.group}`);
    const part = this.command(rows, { client, mark: intentPathOf(planIdOf(plan), database), notAfter: plan.decideBy });
    return commandOf({ kind: 'prepare', plan, database, part: part.bytes }, readCommand, this.bank.plan.crossRules);
  }

  /** Decisions and resolutions without the proofs they need, and the other decision after the first. */
  private lie(plan: Plan, prepares: readonly { readonly group: GroupWorld; readonly command: Command }[]): void {
    const { random, events, plan: { crossRules } } = this.bank;
    const coordinator = this.bank.groupOf(coordinatorOf(plan).group);
    if (coordinator === undefined) return;
    const atMs = 30 + 200 * random.workload.unit();
    events.after(atMs, () => {
      const proofs = this.bank.provenOf(plan);
      const [some] = proofs;
      if (some === undefined) return;
      const forged = plan.participants.map(({ database }): Prepared => proofs.find((proof) => proof.database === database) ?? { ...some, database });
      this.toAll(coordinator, commandOf({ kind: 'decide', plan, decision: commitOf(forged), proofs: forged }, readCommand, crossRules));
      for (const { group, command } of prepares) this.forgeResolution(plan, group, command, forged);
    });
    const late = Number(plan.decideBy >> 48n) - 1_000_000 + 90;
    const abort = commandOf({ kind: 'decide', plan, decision: abortFor('timeout'), proofs: [] }, readCommand, crossRules);
    events.after(late - events.now, () => this.toAll(coordinator, abort));
  }

  private forgeResolution(plan: Plan, group: GroupWorld, command: Command, proofs: readonly Prepared[]): void {
    const database = hashOf(`db ${group.config.group}`);
    const prepared = this.bank.provenOf(plan).find((proof) => proof.database === database);
    if (prepared === undefined) return;
    const decided = { ...(this.bank.random.workload.chance(0.5) ? commitOf(proofs) : abortFor('timeout')), receipt: prepared.receipt };
    const part = this.bank.partBytes(command);
    this.toAll(group, commandOf({ kind: 'resolve', plan, database, part, prepared: prepared.receipt, decided }, readCommand, this.bank.plan.crossRules));
  }

  private row(node: SimNode, path: Path, mode: 'R' | 'W', more: number): Row | undefined {
    const at = bankOf(node).versionOf(path);
    const balance = bankOf(node).balance(path);
    if (at === undefined || at.intent === true || balance === undefined) return undefined;
    return [path, at.version, mode, balance.units + more];
  }

  private command(rows: readonly Row[], part: { readonly client: string; readonly mark: Path; readonly notAfter: Timestamp } | undefined): Command {
    const items = rows.map(([path, version, mode]) => [path, version, mode] as const);
    return encodeCommand({
      client: part?.client ?? `local${this.nonce}`, nonce: this.nonce++, salt: 0, removes: [], unique: null, invalid: false, hidden: null, classicOnly: false,
      items: part === undefined ? items : [...items, [part.mark, ZERO_HASH, 'W']],
      sets: Object.fromEntries(rows.filter(([, , mode]) => mode === 'W').map(([path, , , units]) => [path, `${units}`])),
      notAfter: `${part?.notAfter ?? timestampOf(1_000_000 + 1_000_000, 0, 0)}`,
    });
  }

  private toAll(group: GroupWorld, command: Command): void {
    for (const node of group.nodes) group.offer(node, command);
  }

  private someAccount(group: GroupWorld): Path {
    return this.accountOf(group, this.bank.random.workload.int(this.bank.plan.accounts));
  }

  private twoAccounts(group: GroupWorld): [Path, Path] {
    const first = this.bank.random.workload.int(this.bank.plan.accounts);
    const second = (first + 1 + this.bank.random.workload.int(this.bank.plan.accounts - 1)) % this.bank.plan.accounts;
    return [this.accountOf(group, first), this.accountOf(group, second)];
  }

  private pick<T>(list: readonly T[]): T {
    return this.bank.random.workload.pick(list);
  }
}

type Row = readonly [path: Path, version: string, mode: 'R' | 'W', units: number];

function shuffled<T>(list: readonly T[], unit: () => number): T[] {
  return list.map((value) => ({ value, at: unit() })).sort((a, b) => a.at - b.at).map(({ value }) => value);
}
