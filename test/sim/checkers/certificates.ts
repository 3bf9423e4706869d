import { hasBit, type SignedMessage } from '../../../protocol/consensus/index.ts';
import type { Batches, BatchedEntry } from './batches.ts';
import type { Violate } from './index.ts';

interface Use {
  readonly entry: BatchedEntry;
  readonly mode: string;
}

/** Invariant 3: no two entries of one view that exclude each other both have q votes, whoever signed them. */
export class CertificateChecker {
  private readonly votes = new Map<string, Map<number, bigint>>();
  private readonly certified = new Set<string>();
  private readonly uses = new Map<string, Use[]>();
  private readonly violate: Violate;
  private readonly batches: Batches;
  private readonly q: number;

  constructor(violate: Violate, batches: Batches, q: number) {
    this.violate = violate;
    this.batches = batches;
    this.q = q;
  }

  voted(signer: number, { value: { epoch, view, batchRoot, accept } }: SignedMessage & { kind: 'fastVote' }): void {
    const place = `${epoch}/${view}`;
    const votes = this.votes.get(`${place}/${batchRoot}`) ?? new Map<number, bigint>();
    this.votes.set(`${place}/${batchRoot}`, votes);
    votes.set(signer, (votes.get(signer) ?? 0n) | accept);
    this.batches.get(batchRoot)?.forEach((entry, index) => {
      const count = [...votes.values()].filter((bits) => hasBit(bits, index)).length;
      if (count >= this.q) this.certify(place, entry);
    });
  }

  private certify(place: string, entry: BatchedEntry): void {
    if (this.certified.has(`${place}/${entry.id}`)) return;
    this.certified.add(`${place}/${entry.id}`);
    for (const { path, version, mode } of entry.command.items) {
      const key = `${place}/${path}/${version}`;
      const others = this.uses.get(key) ?? [];
      const rival = others.find((other) => other.entry.id !== entry.id && excludes(other, { entry, mode }));
      if (rival !== undefined) this.violate('certificates', `${entry.id} and ${rival.entry.id} are both certified in ${place} on ${path}`);
      others.push({ entry, mode });
      this.uses.set(key, others);
    }
  }
}

/** Two writers always; a reader and a writer when the reader is not the earlier one. */
export function excludes(a: Use, b: Use): boolean {
  if (a.mode === 'R' && b.mode === 'R') return false;
  if (a.mode === b.mode) return true;
  const [reader, writer] = a.mode === 'R' ? [a, b] : [b, a];
  return reader.entry.ts >= writer.entry.ts;
}
