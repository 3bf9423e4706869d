import { sha256Hex } from '../../crypto/index.ts';
import { bytesOf, concatBytes, uintBytes, ZERO_HASH, type Hash32, type Timestamp } from '../../types/index.ts';
import { NO_BITS, withBit, type Bitmap } from '../bitmap.ts';
import { releaseMs } from '../clock.ts';
import { byTime, type KnownEntry } from '../entry.ts';
import type { Target } from '../effect.ts';
import { keyAt } from '../keys.ts';
import type { BatchCert } from '../message.ts';
import { persist } from '../persist.ts';
import type { LoggedEntry } from '../record.ts';
import { addAcked } from '../replay.ts';
import type { Replica } from '../state.ts';
import { participates } from '../status.ts';
import { gatewayOf } from './batch.ts';
import { disturbsNothing } from './judge.ts';

interface Group {
  readonly cert: BatchCert;
  readonly entries: LoggedEntry[];
  bits: Bitmap;
}

/** F-ACK: acknowledges certified entries that disturb nothing; the others wait for the next commit. */
export function retryAcks(replica: Replica): void {
  const { current } = replica;
  if (!current.ackRetry || !current.fastOpen || !participates(replica)) return;
  current.ackRetry = false;
  const groups = new Map<Hash32, Group>();
  const waiting = [...current.unacked].flatMap((id) => current.certified.get(id) ?? []).sort((a, b) => byTime(a.entry, b.entry));
  for (const { entry, cert } of waiting) {
    if (decided(replica, entry)) {
      current.unacked.delete(entry.id);
      continue;
    }
    const candidate = disturbsNothing(replica, entry);
    if (candidate === undefined) continue;
    current.unacked.delete(entry.id);
    const proof = cert();
    const { height } = replica.tip;
    if (replica.rules.secondRound) addAcked(replica, { ...entry, view: replica.view, cert: proof, removes: candidate.removes, height, sinceMs: replica.elapsedMs });
    const group = groups.get(proof.batchRoot) ?? { cert: proof, entries: [], bits: NO_BITS };
    group.entries.push({ ...entry, removes: [...candidate.removes], height });
    group.bits = withBit(group.bits, proof.entryIds.indexOf(entry.id));
    groups.set(proof.batchRoot, group);
  }
  for (const group of groups.values()) acknowledge(replica, group);
}

/** Swept into the chain already: nothing left to acknowledge. */
function decided(replica: Replica, entry: KnownEntry): boolean {
  return keyAt(replica, replica.tip.hash, entry.command.noncePath).version !== ZERO_HASH;
}

function acknowledge(replica: Replica, { cert, entries, bits }: Group): void {
  replica.ackSeq += 1n;
  replica.ackHead = nextAckHead(replica.ackHead, cert.batchRoot, bits);
  const { ackSeq, ackHead, view } = replica;
  const { group, epoch } = replica.config;
  const value = { group, epoch, view, batchRoot: cert.batchRoot, acked: bits, ackSeq, ackHead };
  const maxTs = entries.reduce((max, { ts }) => (ts > max ? ts : max), 0n as Timestamp);
  replica.current.ackRetry = true; // an acknowledged entry may be what another one waited for
  replica.out.push({ kind: 'milestone', milestone: { event: 'acked', entries: entries.length, ackSeq } });
  persist(replica, { kind: 'acked', view, batchRoot: cert.batchRoot, acked: bits, ackSeq, ackHead, cert, entries }, {
    message: { kind: 'fastAck', value }, to: holderOf(replica, entries[0] as KnownEntry), notBeforeMs: releaseMs(replica, maxTs), view,
  });
}

/** Its gateway. An own batch's goes to all: somebody else has to know it when this machine comes back with an old disk (R-3, decision 0197). */
function holderOf(replica: Replica, entry: KnownEntry): Target {
  const gateway = gatewayOf(replica, entry);
  return gateway === replica.self && replica.rules.ownAcksTold ? 'all' : gateway;
}

/** Running hash over the acknowledgement log: two heads at one position are evidence (AckFork). */
export function nextAckHead(head: Hash32, batchRoot: Hash32, bits: Bitmap): Hash32 {
  return sha256Hex(concatBytes(bytesOf(head), bytesOf(batchRoot), uintBytes(bits, 32)));
}
