import { expect } from 'chai';
import type { Contract } from 'ethers';
import { encode, list, scalar, type Scalar, type StructValue } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import { detailHashOf, packCheckpoint, rosterOf, type CertifiedCheckpoint, type Roster } from '../../protocol/membership/index.ts';
import {
  packCountAnswer, packRangeAnswer, packRowAnswer, rangeQuestion, rowQuestion, type AnswerState, type TablePlace,
} from '../../protocol/oracle/index.ts';
import { contentHashOf, keyHashOf, pathOf, rowHashOf } from '../../protocol/rows/index.ts';
import { createTree, type StateTree, type TreeRoot } from '../../protocol/state-tree/index.ts';
import { hexOf, ZERO_HASH, type DatabaseId, type EntryId, type Hash32, type Hex, type Path, type Timestamp } from '../../protocol/types/index.ts';
import { defaultQuorum, h, type Place } from './cases.ts';
import { deployed, groupOf, helpers, send, sign, type World } from './world.ts';

export const scalarsC = list(scalar, limits.scalarsPerRow);
export const cborOf = (values: readonly Scalar[]): Hex => hexOf(encode(scalarsC, values));
export const rosterAt = ({ group, epoch }: Place): Roster => rosterOf(group.group, epoch, group.roster);

export interface CheckpointWish {
  readonly height?: bigint;
  readonly closedMs?: number;
  readonly signers?: readonly number[];
}

/** A checkpoint whose details are real, unlike those of evidence cases. */
export function checkpointOf(place: Place, stateRoot: Hash32, wish: CheckpointWish = {}): CertifiedCheckpoint {
  const { height = 40n, closedMs = 1_800_000_000_000, signers = defaultQuorum(place) } = wish;
  const detail = { closeTs: (BigInt(closedMs) << 48n) as Timestamp, rowCount: 9n, capsuleHead: h('head'), previous: h('previous'), configHash: h('config') };
  const checkpoint: StructValue<'Checkpoint'> = { group: place.group.group, epoch: place.epoch, height, stateRoot, detail: detailHashOf(detail) };
  const signatures = signers.map((replica) => ({ replica, signature: sign(place.world, place.group.members[replica]!, 'Checkpoint', checkpoint) }));
  return { checkpoint, detail, signatures };
}

export const packed = (place: Place, certified: CertifiedCheckpoint): Hex => hexOf(packCheckpoint(rosterAt(place), certified));

export interface StoredRow {
  readonly path: Path;
  readonly version: EntryId;
  readonly writtenAt: Timestamp;
  readonly key: readonly Scalar[];
  readonly values: readonly Scalar[];
  readonly rowHash: Hash32;
}

/** One group's state: tables with rows, and answers about them as a node gives them. */
export class Tables {
  readonly rows = new Map<Path, StoredRow>();
  private readonly tree: StateTree = createTree();
  private root: TreeRoot | undefined;

  put(database: DatabaseId, table: string, key: readonly Scalar[], values: readonly Scalar[]): StoredRow {
    const path = pathOf(database, table, '', key);
    const version = h(`${path} version`) as EntryId;
    const writtenAt = (1_700_000_000_000n << 48n) as Timestamp;
    const row = { path, version, writtenAt, key, values, rowHash: rowHashOf({ entryId: version, ts: writtenAt }, keyHashOf(key), contentHashOf(values)) };
    this.rows.set(path, row);
    this.root = undefined;
    return row;
  }

  private built(): TreeRoot {
    this.root ??= this.tree.build([...this.rows.values()].map(({ path, rowHash }) => ({ path, rowHash })));
    return this.root;
  }

  get stateRoot(): Hash32 {
    return this.rows.size === 0 ? ZERO_HASH : this.built().hash;
  }

  entry(path: Path): ReturnType<StateTree['prove']> {
    return this.rows.size === 0 ? { terminal: null, steps: [] } : this.tree.prove(this.built(), path);
  }

  row(state: AnswerState, place: TablePlace, key: readonly Scalar[]): Hex {
    const question = rowQuestion(place, key);
    return hexOf(packRowAnswer(state, question, this.entry(question.from), this.rows.get(question.from) ?? null));
  }

  count(state: AnswerState, place: TablePlace, from: readonly Scalar[] = [], to: readonly Scalar[] = from): Hex {
    const question = rangeQuestion('count', place, from, to);
    return hexOf(packCountAnswer(state, question, this.entry(question.from), this.entry(question.to)));
  }

  range(state: AnswerState, place: TablePlace, from: readonly Scalar[] = [], to: readonly Scalar[] = from, limit = 65): Hex {
    const question = rangeQuestion('range', place, from, to);
    const { leaves, proof } = this.rows.size === 0
      ? { leaves: [], proof: { before: null, after: null, left: [], right: [] } }
      : this.tree.proveRange(this.built(), question.from, question.to, limit);
    return hexOf(packRangeAnswer(state, proof, leaves.map(({ path }) => this.rows.get(path) as StoredRow)));
  }
}

export interface Stage {
  readonly world: World;
  readonly place: Place;
  readonly anchors: Contract;
}

async function build(): Promise<Stage> {
  const world = await deployed();
  return { world, place: { world, group: await groupOf(world), epoch: 1n }, anchors: world.c.CheckpointAnchor };
}
/** A deployed network with a group of four. */
export const stage = (): Promise<Stage> => helpers.loadFixture(build);

export function anchor(s: Stage, certificate: Hex, group: Hash32 = s.place.group.group): ReturnType<typeof send> {
  return send(s.anchors, s.world.watcher, 'anchor', group, certificate);
}
export function refused(contract: Contract, sent: Promise<unknown>, error: string): Promise<unknown> {
  return expect(sent).to.be.revertedWithCustomError(contract, error) as never;
}
export const read = (contract: Contract, method: string, ...args: readonly unknown[]): Promise<any> => contract.getFunction(method)(...args);
export const FLIPS = Number(process.env['PICOLO_FLIPS'] ?? 150);
export const GAP = 300n;
export const HOUR = 3_600n;
