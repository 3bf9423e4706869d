import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { createRouter, Groups, type GroupHost, type GroupStorage } from '../../../node/host/index.ts';
import { createManualClock, createMemoryChain, createMemoryDisk, createMemoryNetwork, createMemorySigner } from '../../../node/memory/index.ts';
import type { PeerAddress, Signer, Transport } from '../../../node/ports/index.ts';
import { Finishers } from '../../../node/services/index.ts';
import { carryStage, prepareStage } from '../../../node/services/stages.ts';
import { submitTransaction } from '../../../node/services/submit.ts';
import { openLedger, type SqlLedger } from '../../../node/storage/index.ts';
import { decode } from '../../../protocol/codec/index.ts';
import { decodeReceipt, type Reply } from '../../../protocol/consensus/index.ts';
import {
  checkPlan, commandOf, coordinatorOf, decidedC, encodeCrossGroupMessage, intentPathOf, isDecided, partOf, payloadOf, planIdOf,
  type CrossGroupMessage, type Decided, type Plan, type Prepare, type Prepared,
} from '../../../protocol/cross-group/index.ts';
import type { PicoloError } from '../../../protocol/errors/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import { timestampOf } from '../../../protocol/hlc/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { decodeTransaction, entryIdOf, pathOf, schemaPath } from '../../../protocol/rows/index.ts';
import {
  bytesOf, compareHex, hexOf, ZERO_HASH, type Address, type ClusterId, type Command, type EntryId, type Epoch, type GroupId, type Hash32, type Path,
  type Timestamp, type TxId,
} from '../../../protocol/types/index.ts';
import { privateKeyOf } from '../../conformance/keys.ts';
import { at, domain, genesis, World, type Made } from '../../conformance/ledger-world.ts';

const TIMING = { commandTimeoutMs: 500, closeIntervalMs: 60, checkpointIntervalMs: 300, viewDurationMs: 60_000 };
const GROUPS = ['a1', 'b2'].map((byte) => `0x${byte.repeat(32)}` as GroupId) as [GroupId, GroupId];

/** One node that is a member of both groups; its disks outlive it. */
class Machine {
  readonly signer: Signer;
  readonly #world: TwoGroups;
  readonly #place: PeerAddress;
  readonly #journals = new Map(GROUPS.map((group) => [group, createMemoryDisk()]));
  #parts: { readonly groups: Groups<SqlLedger>; readonly transport: Transport; readonly finishers: Finishers } | undefined;

  constructor(world: TwoGroups, signer: Signer, place: PeerAddress) {
    this.signer = signer;
    this.#world = world;
    this.#place = place;
  }

  start(): void {
    const { clock, network, chain, machines } = this.#world;
    const transport = network.join(this.#place);
    transport.setPeers(this.#world.places);
    const router = createRouter(transport, clock, () => Promise.reject(new Error('nobody asks here')));
    let finishers: Finishers | undefined;
    const groups = new Groups<SqlLedger>({
      domain, signer: this.signer, chain: chain.port(), clock, requests: router.requests, timing: TIMING, classicOnly: false, send: router.send,
      openStorage: (group) => this.#storage(group),
      events: {
        onCommitted: (group, block) => finishers?.committed(group, block),
        onCertified() {}, onMilestone() {}, onOffence() {},
        onState: (group) => finishers?.follow(group),
      },
    });
    finishers = new Finishers({
      groups, clock, chain: chain.port(), self: this.signer.address,
      carry: async (to, group, message) => void clock.after(2, () => machines.find(({ signer }) => signer.address === to)?.carried(group, message)),
    });
    for (const group of GROUPS) finishers.follow(group);
    router.onConsensus((from, of, epoch, message) => groups.deliver(from, of, epoch, message));
    this.#parts = { groups, transport, finishers };
  }

  async crash(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    parts?.finishers.stop();
    await parts?.transport.close();
    await parts?.groups.stop();
  }

  carried(group: GroupId, message: CrossGroupMessage): void {
    this.#parts?.finishers.carried(group, message);
  }

  get parts(): { readonly groups: Groups<SqlLedger>; readonly finishers: Finishers } {
    if (this.#parts === undefined) throw new Error('this machine is down');
    return this.#parts;
  }

  submit(group: GroupId, command: Command): Promise<Reply> {
    return this.#parts?.groups.member(group).host?.submit(command) ?? Promise.reject(new Error('down'));
  }

  versionOf(group: GroupId, path: Path): ReturnType<SqlLedger['versionOf']> {
    return this.#parts?.groups.member(group).storage.ledger.versionOf(path);
  }

  #storage(group: GroupId): GroupStorage<SqlLedger> {
    const journal = this.#journals.get(group);
    return {
      ledger: openLedger({ path: join(this.#world.folder, `${this.signer.address}-${group.slice(0, 6)}.sqlite`), group, domain, genesis }),
      openJournal: () => (journal as NonNullable<typeof journal>).open(), loadAnchor: () => undefined, saveAnchor() {}, loadTransfer: () => undefined, saveTransfer() {},
    };
  }
}

/** Four machines, two groups over all of them, one database in each. */
class TwoGroups {
  readonly folder = mkdtempSync(join(tmpdir(), 'picolo-finishers-'));
  readonly clock = createManualClock();
  readonly network = createMemoryNetwork({ clock: this.clock, latencyMs: 1 });
  readonly chain = createMemoryChain();
  readonly databases = GROUPS.map((_, i) => new World(i + 1, 1));
  readonly places: readonly PeerAddress[];
  readonly machines: readonly Machine[];

  constructor() {
    const keys = [21, 22, 23, 24].map((seed) => privateKeyOf(seed)).toSorted((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
    this.places = keys.map((key, i) => ({ node: addressOf(key), host: 'memory', port: i + 1 }));
    const roster = this.places.map(({ node }): Address => node);
    const cluster = `0x${'c1'.repeat(32)}` as ClusterId;
    this.chain.mine({ groups: GROUPS.map((group) => ({ group, cluster, epoch: 1n as Epoch, roster, startedAt: 0n, gib: 1, open: true })) });
    this.machines = keys.map((key, i) => new Machine(this, createMemorySigner(key, domain), this.places[i] as PeerAddress));
    for (const machine of this.machines) machine.start();
  }

  async until(what: string, reached: () => boolean, mostMs = 20_000): Promise<void> {
    for (let ms = 0; !reached(); ms++) {
      if (ms > mostMs) throw new Error(`in vain for ${mostMs} ms: ${what}`);
      this.clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async submit(group: number, command: Command, by = 0): Promise<Reply> {
    return this.settled((this.machines[by] as Machine).submit(GROUPS[group] as GroupId, command));
  }

  /** Lets time pass until the promise is settled. */
  async settled<T>(promise: Promise<T>): Promise<T> {
    let open = true;
    const closed = promise.finally(() => (open = false));
    closed.catch(() => undefined);
    await this.until('an answer', () => !open);
    return closed;
  }

  /** Executes there what the reference executed, and tells it the real version. */
  async write(group: number, made: Made): Promise<void> {
    const reply = await this.submit(group, made.command);
    if (reply.kind !== 'receipt' || (reply.receipt.kind === 'classic' && reply.receipt.outcome !== 'applied')) throw new Error('not executed');
    const { keys } = this.databases[group] as World;
    const { entry: entryId, ts } = reply.receipt;
    for (const [path, known] of keys) if (known.by.entryId === made.entry.entryId) keys.set(path, { ...known, by: { entryId, ts } });
  }

  row(group: number): Path {
    return pathOf((this.databases[group] as World).database, 'account', '', [1n]);
  }

  /** True once all machines say so. */
  all(group: number, path: Path, holds: (at: ReturnType<SqlLedger['versionOf']>) => boolean): boolean {
    return this.machines.every((machine) => holds(machine.versionOf(GROUPS[group] as GroupId, path)));
  }

  async begin(): Promise<void> {
    for (const [i, world] of this.databases.entries()) {
      await this.write(i, world.create(['CREATE TABLE account (id INTEGER PRIMARY KEY, units INTEGER NOT NULL)'], 1));
      await this.write(i, world.put('account', { id: 1, units: 10 }, 2));
    }
  }

  inMs(ms: number): Timestamp {
    return timestampOf(this.clock.nowMs() + ms, 0, 0);
  }

  /** A transfer from one database to the other, signed by the owner of both. */
  plan(decideBy: Timestamp): { readonly plan: Plan; readonly parts: readonly Command[]; readonly prepares: readonly Command[] } {
    const [one, two] = this.databases as [World, World];
    const participants = [one, two].map(({ database }, i) => ({ database, group: GROUPS[i] as GroupId, epoch: 1n }))
      .toSorted((a, b) => compareHex(a.database, b.database));
    const plan = checkPlan({ writer: one.metadata.owner, salt: `0x${'5a'.repeat(32)}` as Hash32, participants, decideBy });
    const made = [7, 13].map((units, i) => this.prepareFor(plan, i, units));
    return { plan, parts: made.map(({ part }) => part), prepares: made.map(({ prepare }) => prepare) };
  }

  prepareFor(plan: Plan, group: number, units: number): { readonly part: Command; readonly prepare: Command } {
    const world = this.databases[group] as World;
    const mark = { path: intentPathOf(planIdOf(plan), world.database), version: ZERO_HASH as EntryId, mode: 'W' as const };
    const part = world.sign([world.putOf('account', { id: 1, units })], at(1), plan.decideBy, [mark]).command;
    return { part, prepare: commandOf({ kind: 'prepare', plan, database: world.database, part: part.bytes }, () => part) };
  }

  async stop(): Promise<void> {
    for (const machine of this.machines) await machine.crash();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

describe('services: finishers', function () {
  this.timeout(60_000);
  before(() => installNativeCrypto());
  let net: TwoGroups;
  beforeEach(async () => {
    net = new TwoGroups();
    await net.begin();
  });
  afterEach(() => net.stop());

  it('X-FINISH, P-5.3.1-2pc: after the prepares nobody needs the client, a machine may crash, and both groups commit at one time', async () => {
    const { parts, prepares } = net.plan(net.inMs(20_000));
    const replies = [await net.submit(0, prepares[0] as Command), await net.submit(1, prepares[1] as Command, 1)];
    const decided = replies.map((reply) => (reply.kind === 'receipt' ? reply.receipt.ts : 0n)).reduce((a, b) => (a > b ? a : b)) as Timestamp;
    await net.machines[2]?.crash();
    net.machines[2]?.start();
    for (const [i, part] of parts.entries()) {
      const version = entryIdOf(part.id, decided, part.footprintRoot);
      await net.until('the part of each group', () => net.all(i, net.row(i), (found) => found?.version === version));
      await net.until('nothing held', () => net.all(i, schemaPath((net.databases[i] as World).database), (found) => found?.heldBy === undefined));
    }
  });

  it('a client prepares, carries the proofs, and verifies the decision itself', async () => {
    const { plan, prepares } = net.plan(net.inMs(20_000));
    const { groups, finishers } = (net.machines[0] as Machine).parts;
    const parts = { groups, finishers, clock: net.clock };
    const proofs: Prepared[] = [];
    for (const [i, { bytes }] of prepares.entries()) {
      const group = GROUPS[i] as GroupId;
      const host = groups.member(group).host as GroupHost;
      const wrong = GROUPS[1 - i] as GroupId;
      const misplaced = prepareStage(parts, groups.member(wrong).host as GroupHost, { group: wrong, payload: hexOf(bytes) });
      expect(await misplaced.catch((error: PicoloError) => error.code)).to.equal('API_BAD_TRANSACTION');
      const answer = await net.settled(prepareStage(parts, host, { group, payload: hexOf(bytes) }));
      expect(answer.outcome).to.equal('applied');
      const { database } = net.databases[i] as World;
      await net.until('the finisher saw it', () => finishers.preparedBefore(group, payloadOf(prepares[i] as Command) as Prepare) !== undefined);
      const again = await prepareStage(parts, host, { group, payload: hexOf(bytes) });
      expect(decodeReceipt(bytesOf(again.receipt)).entry, 'asked again').to.equal(decodeReceipt(bytesOf(answer.receipt)).entry);
      proofs.push({ database, part: partOf(prepares[i] as Command)?.id as TxId, receipt: decodeReceipt(bytesOf(answer.receipt)) });
    }
    const { group } = coordinatorOf(plan);
    let decided: Decided | undefined;
    await net.until('a decision', () => {
      for (const proof of proofs) {
        const answer = carryStage(finishers, { group, message: hexOf(encodeCrossGroupMessage({ kind: 'prepared', plan, proof })) });
        if (answer.decided !== '0x') decided = decode(decidedC, bytesOf(answer.decided));
      }
      return decided !== undefined;
    });
    expect(decided?.verdict).to.equal('commit');
    expect(isDecided(groups.proofs, plan, decided as Decided)).to.equal(true);
    expect(() => carryStage(finishers, { group, message: '0x00' })).to.throw(/API_MALFORMED/);
  });

  it('X-PART: a part that is sent as an ordinary transaction is refused by its gateway, before it spoils what travels with it', async () => {
    const { parts } = net.plan(net.inMs(2_000));
    const member = (net.machines[0] as Machine).parts.groups.member(GROUPS[0]);
    const gateway = { host: member.host as GroupHost, ledger: member.storage.ledger, domain, clock: net.clock };
    const refused = submitTransaction(gateway, decodeTransaction((parts[0] as Command).bytes));
    expect(await refused.catch((error: PicoloError) => error.code)).to.equal('API_BAD_TRANSACTION');
  });

  it('X-PREPARE: nobody locks a key for longer than planMs', async () => {
    const { prepares } = net.plan(net.inMs(limits.planMs + 5_000));
    const early = await net.submit(0, prepares[0] as Command);
    expect(early).to.deep.include({ kind: 'refused', reason: 'overloaded' });
    net.clock.advance(5_500);
    expect((await net.submit(0, prepares[0] as Command)).kind).to.equal('receipt');
  });

  it('X-FINISH: a second part tried under the same plan does not hide the intents of the first', async () => {
    const before = net.databases[0]?.keys.get(net.row(0))?.by.entryId;
    const { plan, prepares } = net.plan(net.inMs(1_000));
    await net.submit(0, prepares[0] as Command);
    const second = await net.submit(0, net.prepareFor(plan, 0, 8).prepare);
    expect(second.kind === 'receipt' && second.receipt.kind === 'classic' && second.receipt.outcome).to.equal('aborted');
    await net.until('the old version', () => net.all(0, net.row(0), (found) => found?.version === before && found?.intent === undefined));
  });

  for (const group of [0, 1]) {
    it(`a client that vanishes after its prepare in group ${group} leaves no lock for ever`, async () => {
      const before = net.databases[group]?.keys.get(net.row(group))?.by.entryId;
      const { plan, prepares } = net.plan(net.inMs(2_000));
      await net.submit(group, prepares[group] as Command);
      await net.until('intents', () => net.all(group, net.row(group), (found) => found?.intent === true));
      await net.write(group, (net.databases[group] as World).put('account', { id: 2, units: 1 }, 4)); // X-LOCK: other rows are free
      expect(net.all(group, net.row(group), (found) => found?.intent === true)).to.equal(true);
      await net.until('the old version', () => net.all(group, net.row(group), (found) => found?.version === before && found?.intent === undefined));
      expect(net.clock.nowMs(), 'not before its time').to.be.above(Number(plan.decideBy >> 48n));
      expect([0, 1].map((i) => GROUPS[i])).to.include(coordinatorOf(plan).group);
      await net.write(group, (net.databases[group] as World).put('account', { id: 1, units: 1 }, 3));
    });
  }
});
