import type { StructName } from '../../protocol/codec/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Epoch, GroupId, Height, View } from '../../protocol/types/index.ts';
import type { Signer } from '../ports/index.ts';

/** Signatures of the last views and of the last checkpoint may still be on their way through the guard. */
const VIEWS_OF_GRACE = 2n;
/** Acknowledgements are forgotten in steps: each step looks at every slot. */
const ACKS_PER_STEP = 4096n;

const OF_A_VIEW: readonly StructName[] = ['FastBatch', 'FastVote', 'Proposal', 'BlockVote', 'ViewChange'];

export interface Progress {
  readonly group: GroupId;
  readonly epoch: Epoch;
  readonly view: View;
  readonly ackSeq: bigint;
  /** The certified checkpoint before the newest. */
  readonly checkpoint: Height;
}

/**
 * Lets the signer forget what an honest replica never says again (consensus §2.14), so that its guard
 * stays small: statements of views that ended, acknowledgements that were swept long ago (at most
 * `limits.ackedUnswept` are not), checkpoints below the stable one.
 */
export async function forgetBehind(signer: Signer, { group, epoch, view, ackSeq, checkpoint }: Progress): Promise<void> {
  const forget = (kind: StructName, position: bigint): Promise<void> => signer.forget(kind, `${group}/${epoch}/${position}`);
  const swept = ((ackSeq - BigInt(limits.ackedUnswept)) / ACKS_PER_STEP) * ACKS_PER_STEP;
  const closed = view - VIEWS_OF_GRACE;
  await Promise.all([
    ...(closed > 0n ? OF_A_VIEW.map((kind) => forget(kind, closed)) : []),
    ...(swept > 0n ? [forget('FastAck', swept)] : []),
    ...(checkpoint > 0n ? [forget('Checkpoint', checkpoint)] : []),
  ]);
}
