import { decode, encode, record, signature as signatureC } from '../../protocol/codec/index.ts';
import { keccak256 } from '../../protocol/crypto/index.ts';
import type { CertifiedCheckpoint, Roster } from '../../protocol/membership/index.ts';
import { createPoq, step, type PoqEffect, type PoqInput, type PoqState, type Question, type RowReply } from '../../protocol/poq/index.ts';
import { apiFaults, poqRequestW, readAnswerW, struct } from '../../protocol/query/index.ts';
import { hexOf, type Address, type Hash32, type Path, type Timestamp } from '../../protocol/types/index.ts';
import { packWriterSignature, txIdOf, writerSignatureC } from '../../protocol/rows/index.ts';
import type { TreeProof } from '../../protocol/state-tree/index.ts';
import type { Requests } from '../host/index.ts';
import type { ChainPort, Clock } from '../ports/index.ts';
import type { Reporter } from './evidence.ts';
import { answerChallenge, newestCheckpoint, type ReadParts } from './reads.ts';

const TICK_MS = 250;

export const rowReplyC = record({ row: struct('RowAnswer'), signature: signatureC, writerSignature: writerSignatureC });

export interface PoqParts {
  readonly roster: Roster;
  readonly reads: ReadParts;
  readonly chain: ChainPort;
  readonly clock: Clock;
  readonly requests: Requests;
  readonly reporter: Reporter;
  readonly intervalMs: number;
  readonly onOutcome: (target: Address, outcome: string) => void;
  readonly onSilent: (roster: Roster, target: Address, failures: number) => void;
}

/** Peers' Proof-of-Query of one group (Picolo §6.1): the pure loop wired to the transport, the ledger and the slasher. */
export class PoqLoop {
  private readonly parts: PoqParts;
  private state: PoqState;
  private cancel: () => void = () => undefined;
  private stopped = false;

  constructor(parts: PoqParts) {
    this.parts = parts;
    const { signer } = parts.reads;
    this.state = createPoq({ domain: signer.domain, self: signer.address, roster: parts.roster, intervalMs: parts.intervalMs });
    this.tick();
  }

  certified(certificate: CertifiedCheckpoint): void {
    this.feed({ kind: 'checkpoint', certified: certificate });
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private tick(): void {
    const beacon = this.parts.chain.beacon();
    if (beacon !== undefined) this.feed({ kind: 'beacon', blockNumber: beacon.blockNumber, blockHash: beacon.blockHash as Hash32 });
    this.feed({ kind: 'tick', nowMs: this.parts.clock.nowMs() });
    if (!this.stopped) this.cancel = this.parts.clock.after(TICK_MS, () => this.tick());
  }

  private feed(input: PoqInput): void {
    if (this.stopped) return;
    const { state, effects } = step(this.state, input);
    this.state = state;
    for (const effect of effects) this.perform(effect);
  }

  private perform(effect: PoqEffect): void {
    switch (effect.kind) {
      case 'ask': case 'repeat': return void this.ask(effect);
      case 'fetchRow': return void this.fetchRow(effect);
      case 'report': return this.report(effect);
      case 'mark': return this.parts.onOutcome(effect.target, effect.outcome === 'agrees' ? 'true' : effect.reason ?? effect.outcome);
      case 'statistics': return this.parts.onOutcome(effect.target, 'statistics');
      case 'silent':
        this.parts.onSilent(this.parts.roster, effect.target, effect.failures);
        return this.parts.onOutcome(effect.target, 'silent');
    }
  }

  private async ask({ target, rank, request, minHeight, deadlineMs }: Question): Promise<void> {
    const { reads, requests, roster, clock } = this.parts;
    const wanted = encode(poqRequestW, {
      group: roster.group, ranks: [rank], paths: [], querier: reads.signer.address, request, minTimestamp: 0n as Timestamp, minHeight,
    });
    try {
      const reply = await requests.ask(target, { kind: 'poq', group: roster.group, request: wanted }, Math.max(1, deadlineMs - clock.nowMs()));
      const { checkpoint, entries: [entry] } = decode(readAnswerW, reply);
      if (entry === undefined) throw apiFaults.malformed({ reason: 'no entry' });
      this.feed({
        kind: 'answer', nowMs: clock.nowMs(), target, request, local: this.localProof(entry.answer.height, rank),
        reply: { answer: entry.answer, signature: entry.signature, proof: entry.proof, checkpoint },
      });
    } catch (error) {
      const timedOut = (error as { code?: string }).code === 'HOST_PEER_TIMEOUT';
      this.feed({ kind: timedOut ? 'timeout' : 'refused', nowMs: clock.nowMs(), target, request });
    }
  }

  /** Our own tree convicts a liar that sends no proof; null when that checkpoint is no longer kept. */
  private localProof(height: bigint, rank: bigint): TreeProof | null {
    try {
      const { ledger } = this.parts.reads;
      const found = ledger.readAt(height, ledger.pathAt(height, rank));
      return found.kind === 'unavailable' ? null : found.proof;
    } catch {
      return null;
    }
  }

  private async fetchRow({ target, path, request, deadlineMs }: PoqEffect & { kind: 'fetchRow' }): Promise<void> {
    const { reads, requests, roster, clock } = this.parts;
    const question = { kind: 'row' as const, group: roster.group, path, querier: reads.signer.address };
    const reply = await requests.ask(target, question, Math.max(1, deadlineMs - clock.nowMs())).then(
      (bytes) => decode(rowReplyC, bytes) as RowReply,
      () => null, // the accusation stands without the row
    );
    this.feed({ kind: 'row', nowMs: clock.nowMs(), target, request, reply });
  }

  private report({ target, falseAnswer, rowVerdict }: PoqEffect & { kind: 'report' }): void {
    const { roster, reporter } = this.parts;
    const culprit = roster.replicas.indexOf(target);
    const { answer, signature, against } = falseAnswer;
    void reporter.lie({ kind: 'FalseAnswer', roster, culprit, answer: { value: answer, signature }, against });
    if (rowVerdict?.kind !== 'forgedRow') return;
    const { row, signature: rowSignature, writerSignature } = rowVerdict;
    void reporter.lie({ kind: 'ForgedRow', roster, culprit, row: { value: row, signature: rowSignature }, writerSignature });
  }
}

/** The peer's side of a challenge. */
export async function servePoq(parts: ReadParts, request: Uint8Array): Promise<Uint8Array> {
  return encode(readAnswerW, await answerChallenge(parts, decode(poqRequestW, request)));
}

/** The whole row as this node stores it, signed, with the signature it holds as the writer's. */
export function serveRow(parts: ReadParts, path: Path, querier: Address): Uint8Array {
  const { checkpoint } = newestCheckpoint(parts.ledger, parts.group);
  const found = parts.ledger.readAt(checkpoint.height, path);
  const proof = parts.ledger.provenance(checkpoint.height, path);
  if (found.kind !== 'present' || proof === undefined) throw apiFaults.unavailable({ path });
  const row = {
    group: parts.group, epoch: checkpoint.epoch, seq: parts.nextSeq(), path, rowHash: found.stored.rowHash,
    transaction: txIdOf(parts.signer.domain, proof.header), writer: proof.header.writer,
    signatureHash: hexOf(keccak256(packWriterSignature(proof.signature))) as Hash32, querier, issuedAt: BigInt(Math.floor(parts.clock.nowMs() / 1000)),
  };
  return encode(rowReplyC, { row, signature: parts.signer.sign('RowAnswer', row), writerSignature: proof.signature });
}

