import { checkpointHashOf } from '../membership/index.ts';
import type { Consumed } from './block.ts';
import type { EntryId, Path } from '../types/index.ts';
import type { JournalRecord, VotedEntry } from './record.ts';
import type { Replica } from './state.ts';

/**
 * The journal in its shortest form (§2.11): what the ledger, synced before, does not know. Everything
 * that protects an entry outside the committed chain stays.
 */
export function snapshotRecords(replica: Replica): JournalRecord[] {
  const { current, highQc, lastVoted } = replica;
  const records: JournalRecord[] = [{ kind: 'clock', ceilingMs: BigInt(Math.ceil(replica.ceilingMs)) }, { kind: 'view', view: replica.view }];
  if (replica.vcView > replica.view) records.push({ kind: 'viewChange', newView: replica.vcView, highQc });
  for (const { block, qc, execution } of replica.blocks.values()) {
    const parentQc = replica.blocks.get(block.header.parent)?.qc ?? null;
    records.push({ kind: 'voted', block, parentQc, highQc: qc, consumed: execution.consumed });
  }
  // after the blocks, of which this replica need not have voted for all
  records.push({
    kind: 'viewState', view: replica.view, lastVoted: { view: lastVoted.view, round: lastVoted.round }, voteSeq: replica.voteSeq, highQc,
    closeTs: current.votedCloseTs, consumed: consumedOf(replica), claims: claimsOf(replica),
  });
  for (const { cert, view, command, ts, id, removes, height } of [...replica.acked.values(), ...current.deadAcks]) {
    const acked = 1n << BigInt(cert.entryIds.indexOf(id));
    records.push({
      kind: 'acked', view, batchRoot: cert.batchRoot, acked, ackSeq: replica.ackSeq, ackHead: replica.ackHead, cert,
      entries: [{ command, ts, id, removes: [...removes], height }],
    });
  }
  records.push({ kind: 'ackHead', ackSeq: replica.ackSeq, ackHead: replica.ackHead });
  records.push(...checkpointsOf(replica));
  return records;
}

function checkpointsOf(replica: Replica): JournalRecord[] {
  const records: JournalRecord[] = [];
  const { stable, sealedHeight } = replica;
  if (stable !== undefined) {
    const { height } = stable.checkpoint;
    // also the one before it: after a restart at this height it is computed again
    records.push({ kind: 'checkpointHash', height: height - 1n, hash: stable.detail.previous });
    records.push({ kind: 'checkpointHash', height, hash: checkpointHashOf(stable.checkpoint) });
  }
  for (const { height, value } of replica.checkpoints.values()) {
    if (value !== undefined) records.push({ kind: 'checkpointHash', height, hash: checkpointHashOf(value) });
  }
  if (sealedHeight !== undefined) records.push({ kind: 'sealed', height: sealedHeight });
  return records;
}

function consumedOf(replica: Replica): Consumed[] {
  return [...replica.current.consumed.entries()].flatMap(([key, ids]) => {
    const [path, from] = key.split('|') as [Path, EntryId];
    return [...ids].map((to) => ({ path, from, to }));
  });
}

/** Every claim once, whatever number of keys it stands under. */
function claimsOf(replica: Replica): VotedEntry[] {
  const claims = new Set<VotedEntry>();
  for (const { reads, writes } of replica.current.locks.values()) for (const claim of [...reads, ...writes]) claims.add(claim);
  return [...claims];
}
