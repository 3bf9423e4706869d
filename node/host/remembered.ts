import type { StructName } from '../../protocol/codec/index.ts';
import type { Restored } from '../../protocol/consensus/index.ts';
import { compareRank, type Epoch, type GroupId } from '../../protocol/types/index.ts';
import type { Signer } from '../ports/index.ts';

/**
 * What the guard remembers beyond the journal. The journal's record is flushed before anybody asks the guard for a signature, so
 * this never follows from a crash: the journal has lost its end, whether or not that can be seen in it (R-2, decision 0197).
 */
export function beyondJournal(
  signer: Signer, { group, epoch }: { readonly group: GroupId; readonly epoch: Epoch }, restored: Restored | undefined,
): StructName | undefined {
  const newest = (kind: StructName): readonly bigint[] => (signer.newest(kind, `${group}/${epoch}`) ?? []).map(BigInt);
  const [ackSeq = 0n] = newest('FastAck');
  const [newView = 0n] = newest('ViewChange');
  const [view = 0n, round = 0n] = newest('BlockVote');
  if (ackSeq > (restored?.ackSeq ?? 0n)) return 'FastAck';
  if (newView > (restored?.vcView ?? 0n)) return 'ViewChange';
  return compareRank({ view, round: Number(round) }, restored?.lastVoted ?? { view: 0n, round: 0 }) > 0 ? 'BlockVote' : undefined;
}
