import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { snapshotReplyC } from '../../node/host/index.ts';
import { decode, encode } from '../../protocol/codec/index.ts';
import type { Path } from '../../protocol/types/index.ts';
import type { BlocksMessage } from '../../protocol/consensus/message.ts';
import { CALM_CLOCKS, CALM_DISK, CALM_NETWORK, HONEST_CLIENTS, planOf } from './plan.ts';
import { World } from './world.ts';
import { TransferWorld, type Answering, type Member } from './transfer/world.ts';

/** Checkpoints that a ledger keeps, and a few more: what came before is out of its history. */
const ROUNDS = 12;

const flip = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at % bytes.length, (bytes[at % bytes.length] as number) ^ 1) as Uint8Array;

/** Lies about state that members can tell. */
const LIES = {
  'sends garbage': () => Promise.resolve(new Uint8Array(100_000).fill(7)),
  'changes a byte': (_question, honest) => Promise.resolve(flip(honest(), 5_000)),
  'says that there is no more': (question, honest) => {
    if (question.kind !== 'snapshot') return undefined;
    return Promise.resolve(encode(snapshotReplyC, { ...decode(snapshotReplyC, honest()), next: null }));
  },
  'never comes to an end': (question, honest) => {
    if (question.kind !== 'snapshot') return undefined;
    return Promise.resolve(encode(snapshotReplyC, { ...decode(snapshotReplyC, honest()), next: question.from }));
  },
  'refuses': () => Promise.reject(new Error('no')),
  'vanishes': () => new Promise<Uint8Array>(() => undefined),
} satisfies Readonly<Record<string, Answering>>;

describe('simulation: state transfer', function () {
  this.timeout(600_000);
  let folder: string;
  let world: TransferWorld;

  before(() => installNativeCrypto());

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'picolo-transfer-'));
    world = new TransferWorld(folder);
  });

  afterEach(async () => {
    await world.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const member = (index: number): Member => world.members[index] as Member;
  const laggard = (): Member => member(3);

  /** Three members write on while the fourth is away, until its place in the chain has left their history. */
  async function leaveBehind(): Promise<void> {
    for (const each of world.members) each.start();
    await world.pass(300);
    await world.create();
    await world.pass(400);
    await laggard().crash();
    for (let round = 0; round < ROUNDS; round++) {
      await world.insert(4);
      await world.pass(350);
    }
    expect(member(0).ledger.blockAt(3n), 'early blocks are forgotten').to.equal(undefined);
  }

  async function expectCaughtUp(): Promise<void> {
    await world.until('the laggard is level', () => laggard().live && laggard().height >= member(0).height - 2n);
    // it takes part again: without it there is no quorum any more
    await member(2).crash();
    await world.insert(3);
    await world.pass(1_500);
    for (const each of [member(0), member(1), laggard()]) expect(each.halted).to.equal(undefined);
    const [a, b] = [member(0), laggard()].map(({ ledger }) => ledger.certified());
    expect(b?.height).to.equal(a?.height);
    expect(laggard().ledger.commitment(b?.height ?? 0n)).to.deep.equal(member(0).ledger.commitment(a?.height ?? 0n));
    expect(laggard().ledger.commitment(b?.height ?? 0n).rowCount > BigInt(world.rows)).to.equal(true);
  }

  it('U-1, U-2: a member that was away for longer than the history takes a snapshot and its tail, and votes again', async () => {
    await leaveBehind();
    laggard().start();
    await expectCaughtUp();
    expect(laggard().states.some((state) => state.startsWith('live: installed'))).to.equal(true);
    expect(laggard().asked.length).to.be.above(2);
  });

  for (const [one, other] of [['sends garbage', 'changes a byte'], ['says that there is no more', 'never comes to an end'], ['refuses', 'vanishes']] as const) {
    it(`U-1: one member that ${one} and one that ${other} cost a round trip each and nothing else`, async () => {
      await leaveBehind();
      member(0).answer = LIES[one];
      member(1).answer = LIES[other];
      laggard().start();
      await expectCaughtUp();
      expect(new Set(laggard().asked).size, 'no chunk is asked for again and again').to.be.above(laggard().asked.length - 6);
    });
  }

  it('U-1: a fetch that a crash cut short goes on where it stood, although newer checkpoints were certified meanwhile', async () => {
    await leaveBehind();
    let chunks = 0;
    laggard().onChunk = () => (chunks += 1);
    laggard().start();
    await world.until('half of the chunks', () => chunks >= 2);
    const before = new Set<Path | null>(laggard().asked);
    await laggard().crash();
    await world.insert(6);
    await world.pass(700);
    laggard().start();
    await expectCaughtUp();
    const again = laggard().asked.slice(before.size).filter((from) => before.has(from));
    expect(again.length, 'at most the chunk that was on its way').to.be.below(3);
  });
});

describe('simulation: the block of an offered checkpoint', function () {
  this.timeout(600_000);
  before(() => installNativeCrypto());

  const plan = planOf(3n, 'safety', {
    replicas: 4, byzantine: new Map(), keys: 60, commands: 120, durationMs: 4_000, calmMs: 4_000, viewDurationMs: 60_000, historyBlocks: 4, checkpointMs: 300,
    epochs: 0, wire: false, windowMs: 40, classicOnly: false, network: CALM_NETWORK, workload: HONEST_CLIENTS, clocks: { ...CALM_CLOCKS, skewMs: 3 },
    disk: { ...CALM_DISK, crashEveryMs: 400, syncedLedger: false },
  });
  /** How often a replica continued from a snapshot when offers pass through `change`. */
  const installs = (change: (offer: BlocksMessage) => BlocksMessage): number => {
    const group = new World(plan);
    const send = group.network.send.bind(group.network);
    group.network.send = (from, to, message, epoch) => (
      send(from, to, message.kind === 'blocks' && message.checkpointBlock !== null ? change(message) : message, epoch));
    const { violations, milestones } = group.run();
    expect(violations).to.deep.equal([]);
    return milestones.get('installed') ?? 0;
  };

  it('U-1: a certificate does not show that it is in the chain; the blocks that commit it do', () => {
    expect(installs((offer) => offer)).to.be.above(0);
    expect(installs((offer) => ({ ...offer, blocks: [] }))).to.equal(0);
    // nor do blocks further up, without the one between
    expect(installs((offer) => ({ ...offer, blocks: offer.blocks.slice(1) }))).to.equal(0);
  });
});
