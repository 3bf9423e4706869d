import { limits } from '../../limits/index.ts';
import type { ReplicaIndex } from '../../types/index.ts';
import { NO_BITS, withBit } from '../bitmap.ts';
import { lockKey } from '../keys.ts';
import { votesGoToAll } from '../config.ts';
import type { FastBatchMessage } from '../message.ts';
import { persist } from '../persist.ts';
import type { VotedEntry } from '../record.ts';
import { send, type Batch, type Replica } from '../state.ts';
import { participates } from '../status.ts';
import { batchOf, certify } from './batch.ts';
import { mayVote } from './judge.ts';
import { watch } from './pending.ts';

/** A gateway's batch (§2.5): remember the bodies, then vote once. */
export function onFastBatch(replica: Replica, from: ReplicaIndex, message: FastBatchMessage): void {
  const { value, entries } = message;
  if (value.view !== replica.view || value.gateway !== from) return;
  if (!replica.current.batches.has(value.batchRoot) && replica.current.batches.size >= limits.batchesRemembered) return;
  const batch = batchOf(replica, value.batchRoot);
  if (batch.ownVote !== undefined) {
    if (from !== replica.self) send(replica, from, batch.ownVote); // asked again: the same signature (§5, 18)
    return;
  }
  if (batch.entries !== undefined) return;
  batch.entries = entries;
  batch.gateway = from;
  certify(replica, batch);
  castFastVote(replica, batch);
}

/** Batches that arrived before the fast path was open get their vote now. */
export function voteOnWaiting(replica: Replica): void {
  for (const batch of replica.current.batches.values()) castFastVote(replica, batch);
}

function castFastVote(replica: Replica, batch: Batch): void {
  const { entries } = batch;
  if (entries === undefined || batch.accepted !== undefined || !mayFastVote(replica)) return;
  let accept = NO_BITS;
  const claims: VotedEntry[] = [];
  entries.forEach((entry, index) => {
    if (!mayVote(replica, entry)) return;
    accept = withBit(accept, index);
    const claim: VotedEntry = { id: entry.id, ts: entry.ts, items: entry.command.items };
    claims.push(claim);
    lock(replica, claim);
    watch(replica, entry.command);
  });
  batch.accepted = accept;
  const { group, epoch } = replica.config;
  const value = { group, epoch, view: replica.view, batchRoot: batch.root, accept };
  const to = votesGoToAll(replica.config) ? 'all' : batch.gateway;
  replica.voteSeq += 1n;
  persist(replica, { kind: 'fastVote', value, entries: claims }, { message: { kind: 'fastVote', value }, to, notBeforeMs: 0, view: replica.view });
}

/** F-VOTE 1. */
function mayFastVote(replica: Replica): boolean {
  return participates(replica) && replica.current.fastOpen && !replica.config.classicOnly;
}

export function lock(replica: Replica, claim: VotedEntry): void {
  for (const { path, version, mode } of claim.items) {
    const key = lockKey(path, version);
    let locks = replica.current.locks.get(key);
    if (locks === undefined) replica.current.locks.set(key, (locks = { reads: [], writes: [] }));
    (mode === 'W' ? locks.writes : locks.reads).push(claim);
  }
}
