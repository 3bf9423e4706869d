import { hasBit, type SignedMessage, type Statement } from '../../../protocol/consensus/index.ts';
import type { Item } from '../../../protocol/types/index.ts';
import type { Batches, BatchedEntry } from './batches.ts';
import type { Violate } from './index.ts';

interface Signer {
  readonly blockVotes: Map<string, string>;
  readonly proposals: Map<string, string>;
  readonly checkpoints: Map<string, string>;
  readonly acks: Map<string, string>;
  readonly claims: Map<string, { id: string; ts: bigint; mode: string }[]>;
  /** Highest reported lock per view, and the rounds voted. */
  readonly locks: Map<string, { round: number; qc: readonly [bigint, number] }>;
  ackSeq: bigint;
  ackView: bigint;
  readonly guilty: Set<string>;
}

const REPLICAS = 1000;

/** Scans everything ever signed for pairs that a contract would punish (consensus §3.2). */
export class SignatureChecker {
  private readonly signers = new Map<number, Signer>();
  private late: { index: number; honest: boolean; statement: Statement }[] = [];
  private readonly violate: Violate;
  private readonly batches: Batches;

  constructor(violate: Violate, batches: Batches) {
    this.violate = violate;
    this.batches = batches;
  }

  /** A batch that somebody voted for before it was seen. */
  private retry(): void {
    const { late } = this;
    this.late = [];
    for (const each of late) this.fastVote(each.index, each.honest, each.statement);
  }

  signed(replica: number, honest: boolean, message: SignedMessage, statement: Statement): void {
    // positions are counted per epoch
    const index = replica + REPLICAS * Number(statement.value.epoch);
    if (message.kind === 'fastBatch') this.retry();
    const signer = this.of(index);
    switch (statement.name) {
      case 'BlockVote': return this.blockVote(index, honest, signer, statement.value);
      case 'Proposal': {
        const { view, round, blockHash } = statement.value;
        return this.once(index, honest, signer, signer.proposals, `${view}/${round}`, blockHash, 'DoubleProposal');
      }
      case 'Checkpoint': {
        const { height, stateRoot, detail } = statement.value;
        return this.once(index, honest, signer, signer.checkpoints, `${height}`, `${stateRoot}${detail}`, 'FalseCheckpoint');
      }
      case 'FastAck': return this.fastAck(index, honest, signer, statement.value);
      case 'FastVote': return this.fastVote(index, honest, statement);
      case 'ViewChange': return this.viewChange(index, honest, signer, statement.value);
      case 'FastBatch': return undefined;
    }
  }

  guilty(): number[] {
    return [...new Set([...this.signers].flatMap(([index, { guilty }]) => (guilty.size > 0 ? [index % REPLICAS] : [])))];
  }

  private once(index: number, honest: boolean, signer: Signer, map: Map<string, string>, slot: string, content: string, offence: string): void {
    const before = map.get(slot);
    if (before !== undefined && before !== content) this.blame(index, honest, signer, offence, slot);
    else map.set(slot, content);
  }

  private blockVote(index: number, honest: boolean, signer: Signer, value: { view: bigint; round: number; blockHash: string; qcView: bigint; qcRound: number }): void {
    this.once(index, honest, signer, signer.blockVotes, `${value.view}/${value.round}`, value.blockHash, 'DoubleBlockVote');
    const before = signer.locks.get(`${value.view}`);
    const qc = [value.qcView, value.qcRound] as const;
    if (before !== undefined && value.round > before.round && lower(qc, before.qc)) this.blame(index, honest, signer, 'LockRegress', `${value.view}`);
    if (before === undefined || value.round > before.round) signer.locks.set(`${value.view}`, { round: value.round, qc });
  }

  private fastAck(index: number, honest: boolean, signer: Signer, value: { view: bigint; ackSeq: bigint; ackHead: string; batchRoot: string; acked: bigint }): void {
    this.once(index, honest, signer, signer.acks, `${value.ackSeq}`, value.ackHead, 'AckFork');
    if (value.ackSeq > signer.ackSeq) signer.ackSeq = value.ackSeq;
    if (value.view > signer.ackView) signer.ackView = value.view;
  }

  private viewChange(index: number, honest: boolean, signer: Signer, value: { newView: bigint; qcView: bigint; qcRound: number; ackSeq: bigint }): void {
    for (const [view, { qc }] of signer.locks) {
      if (BigInt(view) < value.newView && lower([value.qcView, value.qcRound], qc)) this.blame(index, honest, signer, 'RankUnderreport', `${value.newView}`);
    }
    if (signer.ackView < value.newView && value.ackSeq < signer.ackSeq) this.blame(index, honest, signer, 'AckFork', `change ${value.newView}`);
  }

  private fastVote(index: number, honest: boolean, statement: Statement): void {
    if (statement.name !== 'FastVote') return;
    const { value } = statement;
    const entries = this.batches.get(value.batchRoot);
    if (entries === undefined) {
      this.late.push({ index, honest, statement });
      return;
    }
    entries.forEach((entry, i) => {
      if (hasBit(value.accept, i)) for (const item of entry.command.items) this.claim(index, honest, value.view, entry, item);
    });
  }

  private claim(index: number, honest: boolean, view: bigint, { id, ts }: BatchedEntry, { path, version, mode }: Item): void {
    const signer = this.of(index);
    const key = `${view} ${path} ${version}`;
    const claims = signer.claims.get(key) ?? [];
    for (const other of claims) {
      if (other.id === id || (other.mode === 'R' && mode === 'R')) continue;
      const reader = other.mode === 'R' ? other.ts : ts;
      const writer = other.mode === 'R' ? ts : other.ts;
      if (other.mode === mode || reader >= writer) this.blame(index, honest, signer, 'VoteConflict', key);
    }
    claims.push({ id, ts, mode });
    signer.claims.set(key, claims);
  }

  private blame(index: number, honest: boolean, signer: Signer, offence: string, place: string): void {
    signer.guilty.add(`${offence} ${place}`);
    if (honest) this.violate('slashable', `honest ${index % REPLICAS}: ${offence} at ${place}`);
  }

  private of(index: number): Signer {
    let signer = this.signers.get(index);
    if (signer === undefined) {
      signer = {
        blockVotes: new Map(), proposals: new Map(), checkpoints: new Map(), acks: new Map(), claims: new Map(), locks: new Map(), ackSeq: 0n,
        ackView: -1n, guilty: new Set(),
      };
      this.signers.set(index, signer);
    }
    return signer;
  }
}

function lower(a: readonly [bigint, number], b: readonly [bigint, number]): boolean {
  return a[0] !== b[0] ? a[0] < b[0] : a[1] < b[1];
}
