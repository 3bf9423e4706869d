import { sha256Hex } from '../../../protocol/crypto/index.ts';
import { DECISION_TABLE } from '../../../protocol/cross-group/index.ts';
import { MAX_TIMESTAMP } from '../../../protocol/hlc/index.ts';
import { invariant } from '../../../protocol/errors/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { createTree, type LeafChange, type StateTree, type TreeRoot } from '../../../protocol/state-tree/index.ts';
import { bytesOf, concatBytes, ZERO_HASH, type EntryId, type Hash32, type Height, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import type { StateCommitment } from '../../ports/index.ts';
import { blobOf, hashFrom, tsBlob, tsFrom } from '../file/bytes.ts';
import { Leases } from './leases.ts';
import { treeChanges, type PendingChanges, type PendingEntry } from './changes.ts';
import type { Entries } from './entries.ts';
import { ledgerFaults } from './faults.ts';
import type { Leaves } from './leaves.ts';
import type { Nonces } from './nonces.ts';
import type { Store } from './store.ts';

export interface Checkpoint extends StateCommitment {
  readonly height: Height;
  readonly closeTs: Timestamp;
}

interface Row {
  height: bigint; close_ts: Buffer; root: Buffer; count: bigint; capsule: Buffer; certificate: Buffer | null;
}

export interface CheckpointParts {
  readonly store: Store;
  readonly leaves: Leaves;
  readonly pending: PendingChanges;
  readonly nonces: Nonces;
  readonly entries: Entries;
}

/**
 * The state tree, one root per checkpoint. A checkpoint holds exactly the versions with a timestamp at or
 * below its closed timestamp, minus nonces that expired before it: a function of the chain alone, so it
 * does not matter when or how often it is asked for.
 */
export class Checkpoints {
  readonly #parts: CheckpointParts;
  #tree: StateTree = createTree();
  readonly #roots = new Map<Height, TreeRoot>();
  #last: Checkpoint | undefined;
  /** Roots that somebody is fetching. */
  readonly #leases = new Leases();

  constructor(parts: CheckpointParts) {
    this.#parts = parts;
    this.reload();
  }

  get tree(): StateTree {
    return this.#tree;
  }

  /** @throws LEDGER_UNKNOWN_CHECKPOINT */
  root(height: Height): TreeRoot {
    const root = this.#roots.get(height);
    if (root === undefined) throw ledgerFaults.unknownCheckpoint({ height });
    return root;
  }

  /** Keeps a root for the next chunks of a snapshot. */
  lease(height: Height): void {
    this.#leases.renew(height);
  }

  /** @throws LEDGER_UNKNOWN_CHECKPOINT */
  get(height: Height): Checkpoint {
    const row = this.#row(height);
    if (row === undefined) throw ledgerFaults.unknownCheckpoint({ height });
    return checkpointFrom(row);
  }

  certified(): { readonly height: Height; readonly certificate: Uint8Array } | undefined {
    const row = this.#newestCertified();
    return row === undefined ? undefined : { height: row.height, certificate: new Uint8Array(row.certificate as Buffer) };
  }

  /** An earlier certificate whose root is still kept. */
  certifiedAt(height: Height): Uint8Array | undefined {
    const row = this.#roots.has(height) ? this.#row(height) : undefined;
    return row === undefined || row.certificate === null ? undefined : new Uint8Array(row.certificate);
  }

  /** The checkpoint at a block that was applied; made when it is asked for the first time. */
  commitment(height: Height): Checkpoint {
    const known = this.#row(height);
    if (known !== undefined) return checkpointFrom(known);
    const last = this.#last;
    const block = this.#parts.store.get<{ close_ts: Buffer }>('SELECT close_ts FROM blocks WHERE height = ?', height);
    if (block === undefined || (last !== undefined && height < last.height)) throw ledgerFaults.unknownCheckpoint({ height });
    return this.#parts.store.atomically(() => this.#fold(height, tsFrom(block.close_ts)));
  }

  /** Keeps the newest roots for readers that still hold their height, gives the others up. */
  certify(height: Height, certificate: Uint8Array): void {
    const { store, pending } = this.#parts;
    this.root(height);
    store.atomically(() => {
      store.run('UPDATE checkpoints SET certificate = ? WHERE height = ?', certificate, height);
      pending.drop(height);
      const leased = this.#leases.next();
      const old = [...this.#roots.keys()].filter((other) => other < height && !leased.has(other)).toSorted(byHeight).slice(0, -(limits.stateRootsKept - 1));
      for (const other of old) {
        this.#tree.release(this.root(other));
        this.#roots.delete(other);
        store.run('DELETE FROM checkpoints WHERE height = ?', other);
      }
    });
  }

  /** Closed timestamp of the oldest root that can be read. */
  oldestCloseTs(): Timestamp | undefined {
    const [oldest] = [...this.#roots.keys()].toSorted(byHeight);
    return oldest === undefined ? undefined : this.get(oldest).closeTs;
  }

  /** A checkpoint whose leaves were imported: the only one there is. */
  adopt({ height, closeTs, stateRoot, rowCount, capsuleHead }: Checkpoint, certificate: Uint8Array): void {
    const { store } = this.#parts;
    store.run('DELETE FROM checkpoints');
    store.run(
      'INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, ?)',
      height, tsBlob(closeTs), blobOf(stateRoot), rowCount, blobOf(capsuleHead), certificate,
    );
  }

  /** Builds the newest certified root from the stored leaves, then the checkpoints above it. */
  reload(): void {
    const { store, pending } = this.#parts;
    this.#tree = createTree();
    this.#roots.clear();
    const base = this.#newestCertified();
    let root = this.#certifiedRoot(pending.originals());
    if (base !== undefined) {
      store.run('DELETE FROM checkpoints WHERE height < ?', base.height); // their trees are gone
      this.#keep(base, root);
    }
    for (const row of store.all<Row>('SELECT * FROM checkpoints WHERE height > ? ORDER BY height', base?.height ?? -1n)) {
      root = this.#tree.apply(root, treeChanges(pending.foldedAt(row.height)));
      this.#keep(row, root);
    }
    const newest = store.get<Row>('SELECT * FROM checkpoints ORDER BY height DESC LIMIT 1');
    this.#last = newest === undefined ? undefined : checkpointFrom(newest);
  }

  #fold(height: Height, closeTs: Timestamp): Checkpoint {
    const { store, pending } = this.#parts;
    const taken = pending.upTo(closeTs);
    const base = this.#last === undefined ? this.#tree.empty() : this.root(this.#last.height);
    pending.markFolded(height, closeTs);
    const root = this.#tree.apply(base, [...treeChanges(taken), ...this.#expireNonces(height, closeTs, base)]);
    const made = {
      height, closeTs, stateRoot: root.hash, rowCount: root.count, capsuleHead: capsuleAfter(this.#last?.capsuleHead ?? ZERO_HASH, taken),
    };
    store.run(
      'INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?, NULL)',
      height, tsBlob(closeTs), blobOf(made.stateRoot), made.rowCount, blobOf(made.capsuleHead),
    );
    this.#roots.set(height, root);
    this.#last = made;
    this.#forgetOldest();
    return made;
  }

  /** A group that certifies nothing must not fill memory with roots; the next root keeps what the forgotten one took in. */
  #forgetOldest(): void {
    const { store, pending } = this.#parts;
    const certified = this.#newestCertified()?.height ?? -1n;
    const open = [...this.#roots.keys()].filter((height) => height > certified).toSorted(byHeight);
    const [oldest, heir] = open;
    if (open.length <= limits.openRootsKept || oldest === undefined || heir === undefined) return;
    pending.refold(oldest, heir);
    store.run('DELETE FROM checkpoints WHERE height = ?', oldest);
    this.#tree.release(this.root(oldest));
    this.#roots.delete(oldest);
  }

  #expireNonces(height: Height, closeTs: Timestamp, base: TreeRoot): LeafChange[] {
    const { store, nonces, leaves, pending, entries } = this.#parts;
    if (closeTs === MAX_TIMESTAMP) return []; // closes an epoch, not time
    const paths = nonces.expire(closeTs);
    if (paths.length === 0) return [];
    for (const path of paths) {
      const leaf = leaves.current(path);
      if (leaf === undefined || entries.ref(leaf.entry).ts > closeTs) continue;
      leaves.remove(leaf, closeTs);
      if (leaf.space.table === DECISION_TABLE) store.run('DELETE FROM decisions WHERE plan = ?', leaf.key[0] as Uint8Array); // nobody needs its proof now
    }
    const changes = paths.map((path) => ({ path, before: this.#tree.get(base, path) ?? null, after: null }));
    pending.add({ ts: closeTs, entryId: ZERO_HASH as EntryId, applied: false, changes }, height);
    return changes.map(({ path }) => ({ path, rowHash: null }));
  }

  /** The stored leaves with everything since undone. */
  #certifiedRoot(originals: Map<Path, Hash32 | null>): TreeRoot {
    const newest = this.#tree.build(this.#parts.leaves.hashes());
    const root = this.#tree.apply(newest, [...originals].map(([path, rowHash]) => ({ path, rowHash })));
    this.#tree.release(newest);
    return root;
  }

  #keep(row: Row, root: TreeRoot): void {
    if (root.hash !== hashFrom(row.root)) throw ledgerFaults.corrupt({ height: row.height, stored: hashFrom(row.root), computed: root.hash });
    this.#roots.set(row.height, root);
  }

  #row(height: Height): Row | undefined {
    return this.#parts.store.get<Row>('SELECT * FROM checkpoints WHERE height = ?', height);
  }

  #newestCertified(): Row | undefined {
    return this.#parts.store.get<Row>('SELECT * FROM checkpoints WHERE certificate IS NOT NULL ORDER BY height DESC LIMIT 1');
  }
}

/** Running hash over applied transactions in (timestamp, entry) order: head' = SHA-256(head ‖ entry) (DOORS 9). */
function capsuleAfter(head: Hash32, entries: readonly PendingEntry[]): Hash32 {
  let at = head;
  for (const { entryId, applied } of entries) if (applied) at = sha256Hex(concatBytes(bytesOf(at), bytesOf(entryId)));
  return at;
}

function checkpointFrom(row: Row): Checkpoint {
  return {
    height: row.height, closeTs: tsFrom(row.close_ts), stateRoot: hashFrom(row.root), rowCount: row.count, capsuleHead: hashFrom(row.capsule),
  };
}

function byHeight(a: Height, b: Height): number {
  invariant(a !== b, 'ledger-one-root-per-height');
  return a < b ? -1 : 1;
}
