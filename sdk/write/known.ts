import { limits } from '../../protocol/limits/index.ts';
import { ZERO_TIMESTAMP } from '../../protocol/hlc/index.ts';
import type { Before, KeyRef } from '../../protocol/rows/index.ts';
import type { Row } from '../../protocol/schema/index.ts';
import { ZERO_HASH, type EntryId, type Path, type Timestamp } from '../../protocol/types/index.ts';
import type { Client } from '../client.ts';
import { sdkFaults } from '../errors.ts';
import type { Home } from '../home.ts';
import { readProven, type Truth } from '../read/proven.ts';
import type { OwnWrites } from './own-writes.ts';

/** Reads of a key that kept changing between its version and its content are given up after this many rounds. */
const ROUNDS = 12;

/**
 * What a transaction under construction knows about keys: versions as the nodes tell them (the footprint has
 * them checked when the write commits), contents only as proven, or as this client wrote them itself.
 */
export class Known {
  private readonly client: Client;
  private readonly home: Home;
  private readonly own: OwnWrites;
  readonly optimistic: boolean;
  /** Keys taken as this session left them, or told by a node that may not have had all that this session wrote or saw. */
  readonly doubtful = new Set<Path>();
  private readonly versions = new Map<Path, EntryId>();
  private readonly contents = new Map<Path, Row>();

  /** @param optimistic take keys to be as this session left them, without asking: an abort tells otherwise */
  constructor(client: Client, home: Home, own: OwnWrites, optimistic: boolean) {
    this.client = client;
    this.home = home;
    this.own = own;
    this.optimistic = optimistic;
  }

  learn(path: Path, version: EntryId, content: Row | null): void {
    this.versions.set(path, version);
    if (content !== null) this.contents.set(path, content);
  }

  /** Content of a key that was fetched; undefined when it is absent. */
  contentAt(path: Path): Row | undefined {
    return this.versions.get(path) === ZERO_HASH ? undefined : this.contents.get(path);
  }

  versionAt(path: Path): EntryId {
    return this.versions.get(path) ?? ZERO_HASH;
  }

  /**
   * Runs a computation over `Before`, fetches what it found missing, and runs it again until nothing is.
   * @param assumedAbsent keys an INSERT may take to be absent without asking: its footprint says so, and it is aborted if wrong
   */
  async resolve<T>(compute: (before: Before) => T, assumedAbsent: (ref: KeyRef) => boolean): Promise<T> {
    for (let round = 0; round < ROUNDS; round++) {
      const wanted = { versions: new Set<Path>(), contents: new Set<Path>() };
      const outcome = attempt(() => compute(this.before(wanted, assumedAbsent)));
      if (wanted.versions.size + wanted.contents.size === 0) return outcome();
      await this.fetch([...wanted.versions], [...wanted.contents]);
    }
    throw sdkFaults.conflict({ reason: 'the keys kept changing while they were read' });
  }

  private before(wanted: { versions: Set<Path>; contents: Set<Path> }, assumedAbsent: (ref: KeyRef) => boolean): Before {
    return {
      versionOf: (ref) => {
        const version = this.versions.get(ref.path);
        if (version !== undefined) return version;
        if (!assumedAbsent(ref)) {
          wanted.versions.add(ref.path);
          // a counter of references is always read to be moved: one round instead of two
          if (ref.index.startsWith('fk:')) wanted.contents.add(ref.path);
        }
        return ZERO_HASH as EntryId;
      },
      contentOf: ({ path }) => {
        const content = this.contents.get(path);
        // a key known to be absent has none to fetch
        if (content === undefined && this.versions.get(path) !== ZERO_HASH) wanted.contents.add(path);
        return content;
      },
    };
  }

  /** Versions of keys, and the proven contents of those whose rows are needed. */
  async fetch(paths: readonly Path[], withContents: readonly Path[]): Promise<void> {
    const all = [...new Set([...paths, ...withContents])].filter((path) => !this.takeOwn(path));
    const writtenAt = await this.fetchVersions(all);
    const needed = withContents.filter((path) => this.versionAt(path) !== ZERO_HASH && !this.contents.has(path));
    if (needed.length > 0) await this.fetchContents(needed, writtenAt);
  }

  private takeOwn(path: Path): boolean {
    const own = this.optimistic ? this.own.latest(path) : undefined;
    if (own === undefined) return false;
    this.learn(path, own.version, own.content);
    this.doubtful.add(path); // others may have changed it since
    return true;
  }

  private async fetchVersions(paths: readonly Path[]): Promise<Map<Path, Timestamp>> {
    const writtenAt = new Map<Path, Timestamp>();
    for (let i = 0; i < paths.length; i += limits.pathsPerVersions) {
      const some = paths.slice(i, i + limits.pathsPerVersions);
      const request = { database: this.home.database, paths: some, minTimestamp: this.optimistic ? ZERO_TIMESTAMP : this.own.bookmark };
      const { versions, closeTs } = await this.client.ask('versions', request, (answer) => {
        if (answer.versions.length !== some.length) throw sdkFaults.badReply({ reason: 'not as many versions as keys' });
        return answer;
      });
      some.forEach((path, at) => {
        const { version, writtenAt: ts } = versions[at] as { version: EntryId; writtenAt: Timestamp };
        if (this.versions.get(path) !== version) this.contents.delete(path);
        this.versions.set(path, version);
        if (closeTs < this.own.bookmark) this.doubtful.add(path);
        writtenAt.set(path, ts);
        const own = this.own.latest(path);
        if (own?.version === version && own.content !== null) this.contents.set(path, own.content);
      });
    }
    return writtenAt;
  }

  /**
   * The newest certified checkpoint is enough for rows it already covers; for younger ones the next is
   * awaited (a second at most). Asking for it only then keeps ordinary updates fast.
   */
  private async fetchContents(paths: readonly Path[], writtenAt: ReadonlyMap<Path, Timestamp>): Promise<void> {
    const young: Path[] = [];
    for (const truth of await this.proven(paths, ZERO_TIMESTAMP)) {
      if (versionIn(truth) === this.versions.get(truth.path)) this.adopt(truth);
      else young.push(truth.path);
    }
    if (young.length === 0) return;
    const newest = young.reduce((max, path) => maxOf(max, writtenAt.get(path) ?? ZERO_TIMESTAMP), ZERO_TIMESTAMP);
    // it may have changed once more since its version was told: then the proven state is the newer one
    for (const truth of await this.proven(young, newest)) this.adopt(truth);
  }

  private async proven(paths: readonly Path[], minTimestamp: Timestamp): Promise<readonly Truth[]> {
    return (await readProven(this.client, { database: this.home.database, group: this.home.group }, paths, { minTimestamp })).truths;
  }

  private adopt(truth: Truth): void {
    this.versions.set(truth.path, versionIn(truth));
    this.contents.delete(truth.path);
    if (truth.kind === 'present' && truth.row.values !== null) this.contents.set(truth.path, truth.row.values);
  }
}

function versionIn(truth: Truth): EntryId {
  return truth.kind === 'present' ? truth.row.version as EntryId : ZERO_HASH as EntryId;
}

export function maxOf(a: Timestamp, b: Timestamp): Timestamp {
  return a > b ? a : b;
}

/** Keeps a failure back: it only counts when nothing was missing. */
function attempt<T>(compute: () => T): () => T {
  try {
    const value = compute();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}
