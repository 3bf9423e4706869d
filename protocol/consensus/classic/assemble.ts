import type { BlockHash, Hash32, Round, Timestamp, View } from '../../types/index.ts';
import { blockHashOf, entriesRootOf, type Block, type BlockEntry, type BlockKind, type Qc } from '../block.ts';
import { execute } from '../execute.ts';
import type { BatchCert, ProposalMessage, TcVote } from '../message.ts';
import { persist } from '../persist.ts';
import type { Replica } from '../state.ts';

export interface Draft {
  readonly view: View;
  readonly round: Round;
  readonly parent: BlockHash;
  readonly kind: BlockKind;
  readonly closeTs: Timestamp;
  readonly entries: readonly BlockEntry[];
  readonly tcRoot: Hash32;
  readonly next: Hash32;
}

/** Executes a draft and fills in its header; undefined when the parent is not at hand. */
export function assemble(replica: Replica, draft: Draft): Block | undefined {
  const parent = parentOf(replica, draft.parent);
  if (parent === undefined) return undefined;
  const { group, epoch } = replica.config;
  const { entries, ...rest } = draft;
  const execution = execute(replica, draft.parent, entries);
  const { effectsRoot, outcomeRoot } = execution;
  const maxTs = entries.reduce((max, { ts }) => (ts > max ? ts : max), parent.maxTs);
  const header = {
    group, epoch, ...rest, height: parent.height + 1n, maxTs, count: entries.length,
    entriesRoot: entriesRootOf(entries), effectsRoot, outcomeRoot,
  };
  replica.assembled = { header, execution };
  return { header, entries };
}

export interface ParentFacts {
  readonly height: bigint;
  readonly closeTs: Timestamp;
  readonly maxTs: Timestamp;
  readonly sealed: boolean;
}

/** What a block needs to know of the one before it: the tip, or a block above it. */
export function parentOf(replica: Replica, hash: BlockHash): ParentFacts | undefined {
  if (hash === replica.tip.hash) return replica.tip;
  const header = replica.blocks.get(hash)?.block.header;
  return header === undefined ? undefined : { ...header, sealed: header.kind === 'reconfig' };
}

/** Uses up the rank, durably, and then proposes (§2.14; DoubleProposal cannot happen). */
export function offer(replica: Replica, block: Block, parentQc: Qc | null, certs: readonly BatchCert[], tc: readonly TcVote[]): void {
  const { group, epoch } = replica.config;
  const { view, round } = block.header;
  const value = { group, epoch, view, round, blockHash: blockHashOf(block.header) };
  const message: Omit<ProposalMessage, 'signature'> = { kind: 'proposal', value, block, parentQc, certs, tc };
  const opening = block.header.kind === 'opening';
  persist(replica, { kind: 'proposed', view, round }, { message, to: 'all', notBeforeMs: 0, view: opening ? undefined : view });
}
