import { limits } from '../limits/index.ts';
import { compareHex, hexOf, type Hash32, type Path } from '../types/index.ts';
import { firstDifference } from './bits.ts';
import { packChanges, readHex } from './changes.ts';
import { treeFaults } from './faults.ts';
import { Nodes } from './nodes.ts';
import { follow, frame, leafAtRank, leafOf, leafRefs, proveLeafAt, provePath, rankOf } from './prove.ts';
import { prune, type Place } from './prune.ts';
import type { Prefix, Pruned } from './pruned.ts';
import type { Changes, Leaf, RangeAnswer, TreeProof } from './types.ts';
import { Update, type Version } from './update.ts';

const BUILD_CHUNK = 8192;

/** One version of a tree: readable until it is released. Opaque; only the tree that made it can use it. */
export interface TreeRoot {
  readonly hash: Hash32;
  /** Number of leaves. */
  readonly count: bigint;
}

class Root implements TreeRoot {
  readonly tree: StateTree;
  readonly version: Version;
  readonly hash: Hash32;
  readonly count: bigint;
  released = false;

  constructor(tree: StateTree, version: Version) {
    this.tree = tree;
    this.version = version;
    this.hash = hexOf(new Uint8Array(version.hash.buffer, version.hash.byteOffset, 32)) as Hash32;
    this.count = BigInt(version.count);
  }
}

export interface TreeStats {
  readonly innerNodes: number;
  readonly leafNodes: number;
  readonly reservedBytes: number;
}

/**
 * Merkle prefix tree over 256-bit paths (Vidigueira §3, architecture §3). Persistent: `apply` makes a
 * new version that shares all unchanged nodes with the old one, and every version is readable
 * until `release`. Versions hold memory, so release those that no reader needs.
 */
export class StateTree {
  private readonly nodes = new Nodes();
  private readonly update = new Update(this.nodes);

  /** The version without leaves; its hash is zero. */
  empty(): TreeRoot {
    return new Root(this, { ref: 0, count: 0, hash: new Int32Array(8) });
  }

  /**
   * A new version with all changes in it; the old one stays readable. The order of the changes is
   * free, except that of several changes to one path the last one counts. Throws TREE_ROW_HASH, TREE_CHANGES.
   */
  apply(root: TreeRoot, changes: Changes): TreeRoot {
    return new Root(this, this.update.run(this.open(root).version, packChanges(changes), false));
  }

  /**
   * `apply` and `release` in one: changes nodes that no other version shares in place, which is several
   * times faster. `root` is released even when nothing changes; on a fault it stays as it was.
   */
  advance(root: TreeRoot, changes: Changes): TreeRoot {
    const open = this.open(root);
    const packed = packChanges(changes);
    open.released = true;
    return new Root(this, this.update.run(open.version, packed, true));
  }

  /** A version with exactly these leaves; fastest when they come in ascending order. */
  build(leaves: Iterable<Leaf>): TreeRoot {
    let root = this.empty();
    let chunk: Leaf[] = [];
    for (const leaf of leaves) {
      if (chunk.push(leaf) < BUILD_CHUNK) continue;
      root = this.advance(root, chunk);
      chunk = [];
    }
    return this.advance(root, chunk);
  }

  /** Gives the version up: its nodes are freed unless another version shares them. Throws TREE_ROOT_RELEASED when done twice. */
  release(root: TreeRoot): void {
    const open = this.open(root);
    open.released = true;
    this.nodes.release(open.version.ref);
  }

  rootHash(root: TreeRoot): Hash32 {
    return this.open(root).hash;
  }

  count(root: TreeRoot): bigint {
    return this.open(root).count;
  }

  /** Row hash at `path`, undefined when the key is absent. */
  get(root: TreeRoot, path: Path): Hash32 | undefined {
    const bytes = pathBytes(path);
    const ref = follow(this.nodes, this.open(root).version.ref, bytes);
    if (ref === 0) return undefined;
    const record = this.nodes.leafBytes(ref);
    return firstDifference(bytes, 0, record, 0) === 256 ? (hexOf(record.subarray(32)) as Hash32) : undefined;
  }

  /** Number of leaves below `path`. */
  rank(root: TreeRoot, path: Path): bigint {
    return BigInt(rankOf(this.nodes, this.open(root).version.ref, pathBytes(path)));
  }

  /** Leaf at `rank`, counted from 0 in path order. Throws TREE_RANK_OUT_OF_RANGE. */
  at(root: TreeRoot, rank: bigint): Leaf {
    return leafOf(this.nodes, leafAtRank(this.nodes, this.open(root).version.ref, this.checkRank(root, rank)));
  }

  /** Inclusion or absence of `path`; check it with `verifyProof`. */
  prove(root: TreeRoot, path: Path): TreeProof {
    return provePath(this.nodes, this.open(root).version.ref, pathBytes(path));
  }

  /** Inclusion of the leaf at `rank`; check it with `verifyRank`. Throws TREE_RANK_OUT_OF_RANGE. */
  proveRank(root: TreeRoot, rank: bigint): TreeProof {
    return proveLeafAt(this.nodes, this.open(root).version.ref, this.checkRank(root, rank));
  }

  /**
   * The first `limit` leaves between two paths, both inclusive, and the proof that none is missing up to the last one
   * returned; check with `verifyRange`. Throws TREE_RANGE_REVERSED, TREE_LIMIT.
   */
  proveRange(root: TreeRoot, from: Path, to: Path, limit: number): RangeAnswer {
    if (compareHex(from, to) > 0) throw treeFaults.rangeReversed({ from, to });
    if (!Number.isInteger(limit) || limit < 1 || limit > limits.rangeRows) throw treeFaults.limit({ limit, most: limits.rangeRows });
    const { ref, count } = this.open(root).version;
    const start = rankOf(this.nodes, ref, pathBytes(from));
    const present = this.get(root, to) === undefined ? 0 : 1;
    const end = rankOf(this.nodes, ref, pathBytes(to)) + present;
    const cut = end - start > limit;
    return frame(this.nodes, ref, start, cut ? start + limit : end, count, cut);
  }

  /**
   * The tree with everything under these prefixes and stubs elsewhere: one proof for many paths, or the partition
   * that one machine keeps (Vidigueira §3.2, §3.3). `since` are older versions; what changed between any of them and `root` is kept
   * too, so that proofs from any of them can still be joined to it (§3.4). Check it with `verifyPruned`.
   */
  prune(root: TreeRoot, prefixes: readonly Prefix[], since: readonly TreeRoot[] = []): Pruned {
    const place = (version: TreeRoot): Place => ({ ref: this.open(version).version.ref, hash: version.hash });
    return prune(this.nodes, place(root), prefixes.map(({ path, bits }) => ({ bytes: pathBytes(path), bits })), since.map(place));
  }

  /** All leaves in path order, from `from` on. The version must stay unreleased meanwhile. */
  *leaves(root: TreeRoot, from?: Path): Generator<Leaf> {
    const start = from === undefined ? 0 : Number(this.rank(root, from));
    for (const ref of leafRefs(this.nodes, this.open(root).version.ref, start)) {
      this.open(root);
      yield leafOf(this.nodes, ref);
    }
  }

  stats(): TreeStats {
    const { inner, leaf } = this.nodes;
    return { innerNodes: inner.used, leafNodes: leaf.used, reservedBytes: inner.reservedBytes + leaf.reservedBytes };
  }

  private open(root: TreeRoot): Root {
    if (!(root instanceof Root) || root.tree !== this) throw treeFaults.foreignRoot();
    if (root.released) throw treeFaults.rootReleased({ hash: root.hash });
    return root;
  }

  private checkRank(root: TreeRoot, rank: bigint): number {
    const { count } = this.open(root);
    if (rank < 0n || rank >= count) throw treeFaults.rankOutOfRange({ rank, count });
    return Number(rank);
  }
}

export function createTree(): StateTree {
  return new StateTree();
}

function pathBytes(path: Path): Uint8Array {
  const out = new Uint8Array(32);
  readHex(path, out, 0);
  return out;
}
