import {
  compareRank, ZERO_HASH, type BlockHash, type EntryId, type Hash32, type Height, type KeyVersion, type Path, type Rank, type ReplicaIndex,
  type Timestamp, type View,
} from '../types/index.ts';
import type { Application } from './application.ts';
import { blockHashOf, type Consumed, type Qc } from './block.ts';
import type { GroupConfig } from './config.ts';
import { afterItem } from './execute.ts';
import type { CertifiedBlock } from './message.ts';
import { LOWEST } from './position.ts';
import { recordReader } from './record-codec.ts';
import type { JournalRecord, VotedEntry } from './record.ts';
import type { AckedEntry, RestoredVote, Tip } from './state.ts';
import { decodeCertifiedBlock, type CommandReader } from './wire.ts';

/** What the journal and the ledger say this replica did before (§2.14). */
export interface Restored {
  readonly view: View;
  readonly vcView: View;
  readonly lastVoted: Rank;
  readonly highQc: Qc | null;
  readonly voted: readonly RestoredVote[];
  /** What compaction kept of the votes of the view. */
  readonly bound: { readonly closeTs: Timestamp; readonly consumed: readonly Consumed[] } | undefined;
  readonly claims: readonly VotedEntry[];
  readonly acked: readonly AckedEntry[];
  /** Acknowledged in the view, and executed since (C-VOTE 6). */
  readonly deadAcks: readonly AckedEntry[];
  readonly ackSeq: bigint;
  readonly voteSeq: bigint;
  readonly ackHead: Hash32;
  readonly ceilingMs: number;
  readonly abstainUntil: View;
  readonly quarantined: boolean;
  readonly sealedHeight: Height | undefined;
  readonly previousCheckpoint: Hash32 | undefined;
  readonly previousHeight: Height | undefined;
  readonly tip: Tip | undefined;
  readonly recent: ReadonlyMap<Path, KeyVersion>;
}

export interface RestoreParts {
  readonly config: GroupConfig;
  readonly self: ReplicaIndex;
  readonly application: Application;
  /** Records that survived, in order. */
  readonly records: readonly Uint8Array[];
  /** The tail was cut: what followed may have been signed (§2.14). */
  readonly torn: boolean;
  /** This key has run in the epoch before, but its journal is gone: quarantine (§2.14). */
  readonly missing: boolean;
  /** Where the ledger stands. */
  readonly position: { readonly height: Height; readonly blockHash: BlockHash; readonly closeTs: Timestamp };
  /** The ledger's newest certified checkpoint. After a snapshot the journal may not know it yet. */
  readonly certified?: { readonly height: Height; readonly hash: Hash32 } | undefined;
}

/** Reads journal and ledger back; undefined for a replica that has never run in this epoch. */
export function restoreReplica(parts: RestoreParts): Restored | undefined {
  const { config, application, torn, missing, position } = parts;
  const fresh = parts.records.length === 0 && !torn && !missing;
  if (fresh && position.height === config.anchor.height) return undefined;
  const read: CommandReader = (data) => application.commandOf(data);
  const folded = emptyFold();
  const readRecord = recordReader(read);
  for (const data of parts.records) fold(folded, readRecord(data));
  const chain = readChain(parts, read);
  // a restart may have computed old ones again: the highest counts, not the last written
  const below = (chain.tip?.header ?? null) === null ? position.height : position.height - 1n; // the tip's own is computed again
  const own = folded.checkpoints.filter(({ height }) => height <= below);
  const known = [...own, ...(parts.certified === undefined ? [] : [parts.certified])];
  const previous = known.filter(({ height }) => height > config.anchor.height).sort((a, b) => Number(a.height - b.height)).at(-1);
  const top = folded.view > folded.vcView ? folded.view : folded.vcView;
  return {
    ...folded, vcView: top, ...ackedOf(folded, application), abstainUntil: torn ? top : -1n, quarantined: missing,
    previousCheckpoint: previous?.hash, previousHeight: previous?.height, ...chain,
  };
}

interface Fold {
  view: View;
  vcView: View;
  lastVoted: Rank;
  highQc: Qc | null;
  voted: RestoredVote[];
  bound: Restored['bound'];
  claims: VotedEntry[];
  ackedAll: AckedEntry[];
  ackSeq: bigint;
  voteSeq: bigint;
  ackHead: Hash32;
  ceilingMs: number;
  sealedHeight: Height | undefined;
  checkpoints: { height: Height; hash: Hash32 }[];
}

function emptyFold(): Fold {
  return {
    view: 0n, vcView: 0n, lastVoted: LOWEST, highQc: null, voted: [], bound: undefined, claims: [], ackedAll: [],
    ackSeq: 0n, voteSeq: 0n, ackHead: ZERO_HASH, ceilingMs: 0, sealedHeight: undefined, checkpoints: [],
  };
}

function fold(into: Fold, record: JournalRecord): void {
  switch (record.kind) {
    case 'view':
      Object.assign(into, { view: record.view, claims: [], bound: undefined });
      return;
    case 'viewChange':
      into.vcView = record.newView;
      return raise(into, record.highQc);
    case 'voted':
      raiseVoted(into, record.block.header);
      into.voted.push(record);
      return raise(into, record.highQc);
    case 'proposed': return;
    case 'fastVote':
      into.claims.push(...record.entries);
      into.voteSeq += 1n;
      return;
    case 'acked': return foldAcked(into, record);
    case 'clock':
      into.ceilingMs = Math.max(into.ceilingMs, Number(record.ceilingMs));
      return;
    case 'checkpointHash':
      into.checkpoints.push(record);
      return;
    case 'checkpoint': return;
    case 'viewState':
      Object.assign(into, { view: record.view, lastVoted: record.lastVoted, voteSeq: record.voteSeq, claims: [...record.claims], bound: record });
      return raise(into, record.highQc);
    case 'ackHead':
      Object.assign(into, { ackSeq: record.ackSeq, ackHead: record.ackHead });
      return;
    case 'sealed':
      into.sealedHeight = record.height;
  }
}

/** The highest, not the last: a proof that an epoch has ended is kept in the same form, and may be of an older view (§2.13). */
function raiseVoted(into: Fold, { view, round }: Rank): void {
  if (compareRank({ view, round }, into.lastVoted) > 0) into.lastVoted = { view, round };
}

function raise(into: Fold, qc: Qc | null): void {
  if (qc !== null && (into.highQc === null || compareRank(qc, into.highQc) > 0)) into.highQc = qc;
}

function foldAcked(into: Fold, record: Extract<JournalRecord, { kind: 'acked' }>): void {
  into.ackSeq = record.ackSeq;
  into.ackHead = record.ackHead;
  for (const entry of record.entries) {
    into.ackedAll.push({ ...entry, view: record.view, cert: record.cert, removes: new Set(entry.removes), sinceMs: 0 });
  }
}

/** Acknowledged entries that the ledger has not executed, and those of the view that it has. */
function ackedOf({ ackedAll, view }: Fold, application: Application): Pick<Restored, 'acked' | 'deadAcks'> {
  const open = ({ command }: AckedEntry): boolean => (application.versionOf(command.noncePath)?.version ?? ZERO_HASH) === ZERO_HASH;
  return { acked: ackedAll.filter(open), deadAcks: ackedAll.filter((entry) => entry.view === view && !open(entry)) };
}

type ChainParts = Pick<RestoreParts, 'config' | 'application' | 'position'>;

/** The ledger's tip, and the key states that its closed timestamp has not passed yet. */
export function readChain({ config, application, position }: ChainParts, read: CommandReader): Pick<Restored, 'tip' | 'recent'> {
  const recent = new Map<Path, KeyVersion>();
  if (position.height === config.anchor.height) return { tip: undefined, recent };
  const blocks: CertifiedBlock[] = [];
  for (let height = position.height; height > config.anchor.height; height--) {
    const encoded = application.blockAt(height);
    if (encoded === undefined) break;
    const block = decodeCertifiedBlock(encoded, read);
    if (block.block.header.maxTs <= position.closeTs && blocks.length > 0) break;
    blocks.push(block);
  }
  for (const block of blocks.reverse()) replayRecent(recent, block, application);
  const header = blocks.at(-1)?.block.header ?? null;
  const { height, blockHash, closeTs } = position;
  const tip: Tip = {
    height, hash: header === null ? blockHash : blockHashOf(header), header, closeTs, maxTs: header?.maxTs ?? closeTs, sealed: header?.kind === 'reconfig',
  };
  return { tip, recent };
}

function replayRecent(recent: Map<Path, KeyVersion>, { block, outcomes }: CertifiedBlock, application: Application): void {
  const unwritten: KeyVersion = { version: ZERO_HASH as EntryId, writtenAt: 0n as Timestamp, readAt: 0n as Timestamp };
  const stateAt = (path: Path): KeyVersion => recent.get(path) ?? application.versionOf(path) ?? unwritten;
  block.entries.forEach((entry, i) => {
    if (outcomes[i] === 'skipped') return;
    const items = outcomes[i] === 'applied' ? entry.command.items : entry.command.items.filter(({ path }) => path === entry.command.noncePath);
    for (const item of items) {
      // the ledger knows whether the last writer left the key absent
      const gone = (application.versionOf(item.path)?.version ?? ZERO_HASH) === ZERO_HASH;
      recent.set(item.path, afterItem(stateAt(item.path), item, entry, new Set(gone ? [item.path] : [])));
    }
  });
}
