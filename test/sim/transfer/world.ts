/**
 * A group of real hosts and SQLite ledgers on memory links and a clock by hand, for state transfer: members may crash, stay
 * away for longer than the history, and serve whatever a test likes.
 */
import { join } from 'node:path';
import { createRouter, Groups, serveBlock, serveSnapshot, type GroupStorage, type Router } from '../../../node/host/index.ts';
import {
  createManualClock, createMemoryChain, createMemoryDisk, createMemoryNetwork, createMemorySigner, type ManualClock, type MemoryChain, type MemoryNetwork,
} from '../../../node/memory/index.ts';
import type { PeerAddress, Signer, Transport } from '../../../node/ports/index.ts';
import { openLedger, type SqlLedger } from '../../../node/storage/index.ts';
import type { Reply } from '../../../protocol/consensus/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import type { Address, ClusterId, Command, Epoch, Path } from '../../../protocol/types/index.ts';
import { privateKeyOf } from '../../conformance/keys.ts';
import { at, domain, genesis, group, World as Reference } from '../../conformance/ledger-world.ts';

const TIMING = { commandTimeoutMs: 500, closeIntervalMs: 60, checkpointIntervalMs: 300, viewDurationMs: 60_000 };
const TABLE = 'CREATE TABLE item (id INTEGER PRIMARY KEY, words TEXT NOT NULL)';
const WORDS = 'state that takes many chunks to move. '.repeat(50);

export type Question = Parameters<Parameters<typeof createRouter>[2]>[1];
/** What a member answers instead of the truth; undefined: the truth. */
export type Answering = (question: Question, honest: () => Uint8Array) => Promise<Uint8Array> | undefined;

export class TransferWorld {
  readonly clock: ManualClock = createManualClock();
  readonly network: MemoryNetwork = createMemoryNetwork({ clock: this.clock, latencyMs: 1 });
  readonly chain: MemoryChain = createMemoryChain();
  readonly members: readonly Member[];
  readonly places: readonly PeerAddress[];
  private readonly reference = new Reference(7);
  private nextId = 1;

  constructor(folder: string) {
    const keys = [21, 22, 23, 24].map((seed) => privateKeyOf(seed)).toSorted((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
    this.places = keys.map((key, i) => ({ node: addressOf(key), host: 'memory', port: i + 1 }));
    const roster = this.places.map(({ node }) => node);
    const cluster = `0x${'c1'.repeat(32)}` as ClusterId;
    this.chain.mine({ groups: [{ group, cluster, epoch: 1n as Epoch, roster, startedAt: 0n, gib: 1, open: true }] });
    this.members = keys.map((key, i) => new Member(this, createMemorySigner(key, domain), join(folder, `${i}.sqlite`), this.places[i] as PeerAddress));
  }

  /** Lets time pass until something is so, at most `mostMs`. */
  async until(what: string, reached: () => boolean, mostMs = 60_000): Promise<void> {
    for (let ms = 0; !reached(); ms++) {
      if (ms > mostMs) throw new Error(`in vain for ${mostMs} ms: ${what}; ${this.members.map((member) => member.says()).join('; ')}`);
      this.clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.clock.nowMs() + ms;
    await this.until('time', () => this.clock.nowMs() >= endMs);
  }

  /** The database and its one table. */
  async create(): Promise<void> {
    const [reply] = await this.decide([this.reference.create([TABLE], 1).command]);
    if (reply?.kind !== 'receipt') throw new Error('the database was not made');
    const { entry: entryId, ts } = reply.receipt;
    // the reference learns when the group executed it: later footprints name that version
    for (const [path, known] of this.reference.keys) this.reference.keys.set(path, { ...known, by: { entryId, ts } });
  }

  /** New rows in transactions of `rows` each. */
  async insert(transactions: number, rows = 20): Promise<void> {
    const commands = Array.from({ length: transactions }, () => {
      const mutations = Array.from({ length: rows }, () => this.reference.putOf('item', { id: this.nextId++, words: WORDS }));
      return this.reference.sign(mutations, at(1)).command;
    });
    await this.decide(commands);
  }

  get rows(): number {
    return this.nextId - 1;
  }

  private async decide(commands: readonly Command[]): Promise<readonly Reply[]> {
    const gateways = this.members.filter(({ up }) => up);
    let open = true;
    const replies = Promise.all(commands.map((command, i) => (gateways[i % gateways.length] as Member).submit(command))).finally(() => (open = false));
    await this.until('all decided', () => !open);
    return replies;
  }

  async stop(): Promise<void> {
    for (const member of this.members) await member.crash();
  }
}

/** One member: its disks outlive it. */
export class Member {
  readonly address: Address;
  readonly states: string[] = [];
  /** Chunks it asked for, by their first path, over all its lives. */
  readonly asked: (Path | null)[] = [];
  answer: Answering = () => undefined;
  /** Called with every chunk it receives. */
  onChunk: () => void = () => undefined;
  up = false;
  halted: string | undefined;
  private readonly world: TransferWorld;
  private readonly signer: Signer;
  private readonly file: string;
  private readonly place: PeerAddress;
  private readonly journal = createMemoryDisk();
  private transfer: Uint8Array | undefined;
  private parts: { groups: Groups<SqlLedger>; transport: Transport; router: Router } | undefined;

  constructor(world: TransferWorld, signer: Signer, file: string, place: PeerAddress) {
    this.world = world;
    this.signer = signer;
    this.file = file;
    this.place = place;
    this.address = signer.address;
  }

  start(): void {
    const { world: { clock, network, chain, places }, signer } = this;
    const transport = network.join(this.place);
    transport.setPeers(places);
    const router = createRouter(transport, clock, async (_from, question) => this.serve(question));
    const requests = { ...router.requests, ask: this.counted(router.requests.ask) };
    const groups = new Groups<SqlLedger>({
      domain, signer, chain: chain.port(), clock, requests, timing: TIMING, classicOnly: false, send: router.send,
      openStorage: () => this.storage(),
      events: {
        onCommitted() {}, onCertified() {}, onMilestone() {},
        onOffence: (_view, offence) => { this.halted = `offence ${offence.kind}`; },
        onState: (_group, state, detail) => {
          this.states.push(`${state}: ${detail}`);
          if (detail.startsWith('stopped')) this.halted = detail;
        },
      },
    });
    router.onConsensus((from, of, epoch, message) => groups.deliver(from, of, epoch, message));
    this.parts = { groups, transport, router };
    this.up = true;
  }

  /** Everything that was not on disk is gone. */
  async crash(): Promise<void> {
    const { parts } = this;
    this.parts = undefined;
    this.up = false;
    await parts?.transport.close();
    await parts?.groups.stop();
  }

  get ledger(): SqlLedger {
    return this.groups.member(group).storage.ledger;
  }

  get height(): bigint {
    return this.up ? this.ledger.position().height : -1n;
  }

  get live(): boolean {
    return this.up && this.groups.member(group).state === 'live';
  }

  submit(command: Command): Promise<Reply> {
    const { host } = this.groups.member(group);
    return host?.submit(command) ?? Promise.reject(new Error('no replica runs'));
  }

  says(): string {
    return `${this.up ? `h${this.height}` : 'down'} ${this.halted ?? this.states.at(-1) ?? ''}`;
  }

  private get groups(): Groups<SqlLedger> {
    if (this.parts === undefined) throw new Error('this member is down');
    return this.parts.groups;
  }

  private storage(): GroupStorage<SqlLedger> {
    return {
      // the shortest history there is: the checkpoints that can be read
      ledger: openLedger({ path: this.file, group, domain, genesis, historyMs: 1 }),
      openJournal: () => this.journal.open(),
      loadAnchor: () => undefined,
      saveAnchor: () => undefined,
      loadTransfer: () => this.transfer,
      saveTransfer: (transfer) => (this.transfer = transfer),
    };
  }

  private serve(question: Question): Promise<Uint8Array> {
    const honest = (): Uint8Array => {
      if (question.kind === 'snapshot') return serveSnapshot(this.ledger, question.height, question.from as Path | null);
      if (question.kind === 'block') return serveBlock(this.ledger, question.height);
      throw new Error(`nobody asks for ${question.kind} here`);
    };
    return this.answer(question, honest) ?? Promise.resolve(honest());
  }

  private counted(ask: Router['requests']['ask']): Router['requests']['ask'] {
    return async (to, question, timeoutMs) => {
      if (question.kind === 'snapshot') this.asked.push(question.from as Path | null);
      const reply = await ask(to, question, timeoutMs);
      if (question.kind === 'snapshot') this.onChunk();
      return reply;
    };
  }
}
