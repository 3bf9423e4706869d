import { join } from 'node:path';
import { expect } from 'chai';
import fc from 'fast-check';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import type { AppliedBlock, AppliedEntry } from '../../../node/ports/index.ts';
import { openLedger, type SqlLedger } from '../../../node/storage/index.ts';
import { decisionPathOf, intentPathOf, planIdOf } from '../../../protocol/cross-group/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { pathOf, schemaPath } from '../../../protocol/rows/index.ts';
import { sha256Hex } from '../../../protocol/crypto/index.ts';
import { ZERO_HASH, type BlockHash, type Command, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import { commitmentOf, domain, genesis, group, World, type Made } from '../../conformance/ledger-world.ts';
import { at, scratchFolder } from './fixture.ts';
import { decideEntry, Keys, partFor, prepareEntry, resolveEntry, type Prepared } from './intents-world.ts';

const ddl = ['CREATE TABLE account (id INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE, units INTEGER NOT NULL)'];
const certificate = new TextEncoder().encode('certificate');
const none = (): undefined => undefined;

/** Databases of one group, its chain, and a ledger that follows it beside the plain model. */
class Bench {
  readonly path = join(scratchFolder(), 'group.sqlite');
  readonly worlds: readonly World[];
  readonly keys = new Keys();
  readonly blocks: AppliedBlock[] = [];
  ledger: SqlLedger;

  constructor(databases = 1) {
    this.ledger = this.open();
    this.worlds = Array.from({ length: databases }, (_, i) => new World(i + 1));
    this.block(this.worlds.map((world, i) => this.ordinary(world.create(ddl, 10 + i), world)), 20);
    this.block(this.worlds.flatMap((world, i) => [1, 2, 3].map((id) => this.put(world, id, 10, 30 + 10 * i + id))), 99);
  }

  open(path = this.path): SqlLedger {
    return openLedger({ path, group, domain, genesis });
  }

  put(world: World, id: number, units: number, ms: number): AppliedEntry {
    return this.ordinary(world.put('account', { id, owner: `owner ${id}`, units }, ms), world);
  }

  ordinary({ entry }: Made, world: World): AppliedEntry {
    return this.executed(entry, world);
  }

  executed(entry: AppliedEntry, world: World): AppliedEntry {
    const absent = entry.command.stage === undefined || entry.command.stage.kind === 'resolve';
    this.keys.execute(entry, (path) => absent && !world.keys.has(path));
    return entry;
  }

  block(entries: readonly AppliedEntry[], closeMs: number): AppliedBlock {
    const height = BigInt(this.blocks.length) + 1n;
    const encoded = new TextEncoder().encode(`block ${height}`);
    const block = { epoch: 1n, height, blockHash: sha256Hex(encoded) as BlockHash, closeTs: at(closeMs), entries, encoded };
    this.blocks.push(block);
    this.ledger.apply(block);
    return block;
  }

  prepare(prepared: Omit<Prepared, 'by'>, ms: number): { readonly open: Prepared; readonly entry: AppliedEntry } {
    const entry = this.executed(prepareEntry(prepared, at(ms)), prepared.world);
    return { open: { ...prepared, by: { entryId: entry.entryId, ts: entry.ts } }, entry };
  }

  /** The whole state moved to an empty ledger, with the blocks above the closed timestamp. */
  copy(height: bigint, closeTs: Timestamp): SqlLedger {
    const commitment = this.ledger.commitment(height);
    this.ledger.certify(height, certificate);
    const other = this.open(join(scratchFolder(), 'copy.sqlite'));
    let from: Path | null = null;
    do {
      const chunk = this.ledger.exportChunk(height, from, 4_000);
      other.importChunk(height, commitment.stateRoot, from, chunk);
      from = chunk.next;
    } while (from !== null);
    const blockHash = this.blocks[Number(height) - 1]?.blockHash as BlockHash;
    other.installSnapshot({ epoch: 1n, height, blockHash, closeTs }, commitment, certificate, this.blocks.slice(0, Number(height)));
    return other;
  }

  commitment(closeMs: number): ReturnType<typeof commitmentOf> {
    return commitmentOf(this.worlds, at(closeMs));
  }
}

describe('ledger: intents', function () {
  this.timeout(60_000);
  before(() => installNativeCrypto());
  let bench: Bench;
  beforeEach(() => (bench = new Bench()));
  afterEach(() => bench.ledger.close());

  const world = (): World => bench.worlds[0] as World;
  const account = (id: bigint): Path => pathOf(world().database, 'account', '', [id]);
  const unitsAt = (height: bigint, id: bigint): unknown => {
    bench.ledger.commitment(height);
    const answer = bench.ledger.readAt(height, account(id));
    return answer.kind === 'present' ? answer.stored.values?.[2] : answer.kind;
  };
  const transfer = (decideByMs = 900): Omit<Prepared, 'by'> => partFor(world(), [world().putOf('account', { id: 1, owner: 'owner 1', units: 7 })], at(decideByMs));

  it('X-PART: a part is valid under its plan, and its mark is one use too many for anything else', () => {
    const prepared = transfer();
    const entry = prepareEntry(prepared, at(120));
    expect(bench.ledger.check(entry.command, none)).to.equal('valid');
    expect(bench.ledger.removes(entry.command, none)).to.deep.equal([]);
    expect(bench.ledger.check(prepared.part.command, none)).to.equal('invalid');
  });

  it('X-LOCK, X-CLOSE: intents stand on what the part writes, change no row, and are in no checkpoint; what it reads is held', () => {
    const before = bench.ledger.versionOf(account(1n))?.version;
    const schema = bench.ledger.versionOf(schemaPath(world().database));
    const { open, entry } = bench.prepare(transfer(), 120);
    bench.block([entry], 110);
    for (const path of [account(1n), intentPathOf(planIdOf(open.plan), world().database)]) {
      expect(bench.ledger.versionOf(path)).to.deep.equal({ version: entry.entryId, writtenAt: at(120), readAt: 0n, intent: true });
    }
    expect(bench.ledger.versionOf(schemaPath(world().database))).to.deep.equal({ ...schema, readAt: at(120), heldBy: [entry.entryId] });
    expect(bench.ledger.commitment(3n)).to.deep.equal(bench.commitment(110));
    expect(unitsAt(3n, 1n)).to.equal(10n);
    expect(() => bench.block([], 120)).to.throw(/ledger-time-closes-below-intents/);
    expect(bench.ledger.position().height, 'a block that breaks the rule leaves nothing').to.equal(3n);
    expect(before).to.not.equal(entry.entryId);
  });

  it('X-RESOLVE: a commit is the part at the decided time, and leads back to its writer', () => {
    const { open, entry } = bench.prepare(transfer(), 120);
    bench.block([entry], 110);
    const commit = bench.executed(resolveEntry(open, at(125), at(300)), world());
    bench.block([commit], 119);
    expect(bench.ledger.versionOf(account(1n))).to.deep.equal({ version: commit.entryId, writtenAt: at(125), readAt: 0n });
    expect(bench.ledger.versionOf(schemaPath(world().database)), 'only read').to.deep.equal(bench.keys.at.get(schemaPath(world().database)));
    bench.block([], 130);
    expect([unitsAt(4n, 1n), unitsAt(5n, 1n)]).to.deep.equal([10n, 7n]);
    expect(bench.ledger.commitment(5n)).to.deep.equal(bench.commitment(130));
    const proof = bench.ledger.provenance(5n, account(1n));
    expect(proof?.header.writer).to.equal(world().metadata.owner);
    expect(proof?.ts).to.equal(at(125));
  });

  it('X-RESOLVE: an abort brings every version back, and later writers stand above it', () => {
    const before = bench.ledger.versionOf(account(1n));
    const { open, entry } = bench.prepare(transfer(), 120);
    bench.block([entry], 110);
    bench.block([bench.executed(resolveEntry(open, undefined, at(300)), world())], 110);
    expect(bench.ledger.versionOf(account(1n))).to.deep.equal({ version: before?.version, writtenAt: at(120), readAt: at(300) });
    const next = { ...world().put('account', { id: 1, owner: 'owner 1', units: 3 }, 320) };
    expect(bench.ledger.check(next.command, none)).to.equal('valid');
    bench.block([bench.ordinary(next, world())], 330);
    expect(unitsAt(5n, 1n)).to.equal(3n);
    expect(bench.ledger.commitment(5n)).to.deep.equal(bench.commitment(330));
  });

  it('X-LEAF: marks and decisions to abort leave the state when their plan is out of date, a decision to commit when nothing can contradict it', () => {
    const { open, entry } = bench.prepare(transfer(400), 120);
    const kept = partFor(world(), [], at(400)).plan;
    bench.block([entry], 110);
    bench.block([
      bench.executed(resolveEntry(open, undefined, at(300)), world()), decideEntry(world(), open.plan, undefined, at(310)), decideEntry(world(), kept, at(250), at(311)),
    ], 399);
    const paths = [intentPathOf(planIdOf(open.plan), world().database), decisionPathOf(planIdOf(open.plan)), decisionPathOf(planIdOf(kept))];
    expect(bench.ledger.commitment(4n)).to.deep.equal(bench.commitment(399));
    expect(paths.map((path) => bench.ledger.versionOf(path) !== undefined)).to.deep.equal([true, true, true]);
    bench.block([], 401);
    expect(bench.ledger.commitment(5n)).to.deep.equal(bench.commitment(401));
    expect(paths.map((path) => bench.ledger.versionOf(path) !== undefined)).to.deep.equal([false, false, true]);
    const copy = bench.copy(5n, at(401));
    expect(copy.versionOf(paths[2] as Path)).to.deep.equal(bench.ledger.versionOf(paths[2] as Path));
    expect(copy.databases(), 'decisions belong to no database').to.deep.equal([world().database]);
    copy.close();
    const over = 401 + limits.decisionMs;
    bench.ledger.keepDecision(planIdOf(kept), certificate);
    bench.block([], over - 1);
    expect(bench.ledger.commitment(6n)).to.deep.equal(bench.commitment(over - 1));
    expect(bench.ledger.versionOf(paths[2] as Path), 'a timeout would still be executed').to.not.equal(undefined);
    bench.block([], over);
    expect(bench.ledger.commitment(7n)).to.deep.equal(bench.commitment(over));
    expect([bench.ledger.versionOf(paths[2] as Path), bench.ledger.decision(planIdOf(kept))]).to.deep.equal([undefined, undefined]);
    const timeout = decideEntry(world(), kept, undefined, at(over));
    expect(timeout.command.notAfter < at(over), 'none is executed any more').to.equal(true);
  });

  it('open intents survive a restart and a block that fails; a proof of a decision is kept', () => {
    const { entry } = bench.prepare(transfer(), 120);
    bench.block([entry], 110);
    const plan = planIdOf(partFor(world(), [], at(400)).plan);
    bench.ledger.keepDecision(plan, certificate);
    const broken: AppliedEntry = { ...entry, command: { ...entry.command } as Command };
    expect(() => bench.block([broken], 110)).to.throw(/ledger-stages-have-payloads/);
    bench.ledger.close();
    bench.ledger = bench.open();
    expect(bench.ledger.versionOf(account(1n))).to.deep.include({ version: entry.entryId, intent: true });
    expect(bench.ledger.decision(plan)).to.deep.equal(certificate);
    expect(bench.ledger.decision(ZERO_HASH)).to.equal(undefined);
  });

  it('any history of writes, prepares, commits and aborts is that of the plain model, over restarts and transfers', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(2), fc.nat(5)), { minLength: 10, maxLength: 40 }), (steps) => {
      const run = new Random(new Bench(3));
      for (const [action, database, pick] of steps) run.step(action, database, pick);
      run.end();
    }), { numRuns: 8, seed: 215, endOnFailure: true });
  });
});

/** Drives a bench by numbers. */
class Random {
  readonly bench: Bench;
  /** Parts of one database share its schema, and each has a row of its own. */
  readonly #open = new Map<World, Map<number, Prepared>>();
  #nowMs = 100;
  #closeMs = 99;

  constructor(bench: Bench) {
    this.bench = bench;
  }

  step(action: number, database: number, pick: number): void {
    const world = this.bench.worlds[database] as World;
    const open = this.#openOf(world).get(pick);
    this.#nowMs += 1 + pick;
    if (action <= 1) this.#advance(pick);
    else if (action === 2) this.#restart();
    else if (action === 3) this.#transfer();
    else if (open !== undefined) this.#resolve(open, action, pick);
    else if (action <= 6) this.#prepare(world, action, pick);
    else this.#block([this.bench.put(world, 1 + pick, action, this.#nowMs)]);
    this.#compare(this.bench.ledger);
  }

  #openOf(world: World): Map<number, Prepared> {
    const known = this.#open.get(world) ?? new Map<number, Prepared>();
    this.#open.set(world, known);
    return known;
  }

  /** Everything is resolved, time is closed, and the whole state is the model's. */
  end(): void {
    for (const parts of this.#open.values()) for (const [pick, open] of [...parts]) this.#resolve(open, 8, pick);
    this.#closeMs = this.#nowMs += 2_000;
    this.#block([]);
    this.#compare(this.bench.ledger);
    this.bench.ledger.close();
  }

  #prepare(world: World, action: number, pick: number): void {
    const row = world.putOf('account', { id: 1 + pick, owner: `owner ${1 + pick}`, units: action });
    const isThere = world.keys.has(pathOf(world.database, 'account', '', [BigInt(1 + pick)]));
    const part = partFor(world, [action === 6 && isThere ? { kind: 'remove', table: 'account', key: [BigInt(1 + pick)] } : row], at(this.#nowMs + 500));
    if (action === 5) return this.#block([this.bench.executed(prepareEntry(part, at(this.#nowMs), 'aborted'), world)]);
    const { open, entry } = this.bench.prepare(part, this.#nowMs);
    this.#openOf(world).set(pick, open);
    this.#block([entry]);
  }

  #resolve(open: Prepared, action: number, pick: number): void {
    this.#openOf(open.world).delete(pick);
    const commits = action % 2 === 0;
    // another group may have prepared later, even later than anything here
    const decided = commits ? (open.by.ts + BigInt(at(pick * 3))) as Timestamp : undefined;
    const entries = [resolveEntry(open, decided, at(this.#nowMs))];
    if (pick > 2) entries.unshift(decideEntry(open.world, open.plan, decided, at(this.#nowMs)));
    this.#block(entries.map((entry) => this.bench.executed(entry, open.world)));
    this.#nowMs += 3 * pick;
  }

  #advance(pick: number): void {
    const oldest = [...this.#open.values()].flatMap((parts) => [...parts.values()]).map(({ by }) => Number(by.ts >> 48n) - 1);
    this.#closeMs = Math.max(this.#closeMs, Math.min(this.#nowMs - pick, ...oldest));
    this.#block([]);
  }

  #restart(): void {
    this.bench.ledger.close();
    this.bench.ledger = this.bench.open();
  }

  #transfer(): void {
    const copy = this.bench.copy(BigInt(this.bench.blocks.length), at(this.#closeMs));
    this.#compare(copy);
    copy.close();
  }

  #block(entries: readonly AppliedEntry[]): void {
    this.bench.block(entries, this.#closeMs);
  }

  /** Above the closed timestamp every answer is exact; below it a version is all that matters, and of keys without rows that there is one. */
  #compare(ledger: SqlLedger): void {
    const closeTs = at(this.#closeMs);
    expect(ledger.commitment(ledger.position().height)).to.deep.equal(this.bench.commitment(this.#closeMs));
    for (const [path, expected] of this.bench.keys.at) {
      const actual = ledger.versionOf(path);
      const row = this.bench.worlds.some(({ keys }) => keys.has(path));
      if (expected.intent === true || row) expect(actual?.version, path).to.equal(expected.version);
      if (expected.intent === true) expect(actual).to.deep.equal(expected);
      expect(actual?.heldBy?.toSorted()).to.deep.equal(expected.heldBy?.toSorted());
      if (row && expected.readAt > closeTs) expect(actual?.readAt, path).to.equal(expected.readAt);
      if (row && expected.writtenAt > closeTs) expect(actual?.writtenAt, path).to.equal(expected.writtenAt);
      if (expected.writtenAt > closeTs && expected.version !== ZERO_HASH) expect(actual?.version, 'used up').to.not.equal(undefined);
    }
  }
}
