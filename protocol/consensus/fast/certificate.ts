import type { EntryId } from '../../types/index.ts';
import { hasBit } from '../bitmap.ts';
import type { KnownEntry } from '../entry.ts';
import type { BatchCert, CertificateMessage } from '../message.ts';
import type { Replica } from '../state.ts';
import { addVote, batchOf, certify, gatewayOf } from './batch.ts';

/** Somebody's certificate of this view: a gateway that aggregates, or a replica that will not let one be hidden (§2.5). */
export function onCertificate(replica: Replica, { certs, entries }: CertificateMessage): void {
  takeCertificates(replica, certs, entries);
}

export function takeCertificates(replica: Replica, certs: readonly BatchCert[], entries: readonly KnownEntry[]): void {
  const bodies = new Map<EntryId, KnownEntry>(entries.map((entry) => [entry.id, entry]));
  for (const cert of certs) if (cert.view === replica.view) takeCertificate(replica, cert, bodies);
}

function takeCertificate(replica: Replica, cert: BatchCert, bodies: ReadonlyMap<EntryId, KnownEntry>): void {
  const batch = batchOf(replica, cert.batchRoot);
  for (const vote of cert.votes) addVote(replica, batch, vote);
  if (batch.entries !== undefined) return certify(replica, batch);
  const known = cert.entryIds.map((id) => bodies.get(id));
  if (known.every((entry) => entry !== undefined)) {
    batch.entries = known;
    batch.gateway = known[0] === undefined ? replica.self : gatewayOf(replica, known[0]);
    return certify(replica, batch);
  }
  takeSome(replica, cert, bodies);
}

/** Bodies of only some entries of the batch: those are certified by themselves. */
function takeSome(replica: Replica, cert: BatchCert, bodies: ReadonlyMap<EntryId, KnownEntry>): void {
  cert.entryIds.forEach((id, index) => {
    const entry = bodies.get(id);
    if (entry === undefined || replica.current.certified.has(id)) return;
    if (cert.votes.filter(({ accept }) => hasBit(accept, index)).length < replica.q) return;
    replica.current.certified.set(id, { entry, cert: () => cert });
    replica.current.unacked.add(id);
    replica.current.ackRetry = true;
  });
}
