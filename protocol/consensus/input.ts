import type { Address, Command, Epoch, Hash32, Height, ReplicaIndex } from '../types/index.ts';
import type { Anchor } from './config.ts';
import type { Message } from './message.ts';

/** Root of the state at a checkpoint, as the ledger computed it. */
export interface Commitment {
  readonly stateRoot: Hash32;
  readonly rowCount: bigint;
  readonly capsuleHead: Hash32;
}

/** Everything that can happen to a replica. Each carries the physical clock, which may step either way. */
export type Input =
  /** First input after creation or restart (§2.14). */
  | { readonly kind: 'start'; readonly nowMs: number }
  /** The alarm went off, or simply time passed. */
  | { readonly kind: 'tick'; readonly nowMs: number }
  /** A client's command at this gateway; its signature was checked (§2.5). */
  | { readonly kind: 'submit'; readonly nowMs: number; readonly command: Command }
  /** A message that `verifyMessage` found valid; `from` is proven by the channel. Own signed messages come back this way too. */
  | { readonly kind: 'message'; readonly nowMs: number; readonly from: ReplicaIndex; readonly message: Message }
  /** Every `persist` up to this token is on disk (§2.14). */
  | { readonly kind: 'flushed'; readonly nowMs: number; readonly token: number }
  /** Answer to `checkpointWanted` (§2.11). */
  | { readonly kind: 'commitment'; readonly nowMs: number; readonly height: Height; readonly commitment: Commitment }
  /** The registry announced the next epoch (§2.13). */
  | { readonly kind: 'reconfigure'; readonly nowMs: number; readonly epoch: Epoch; readonly roster: readonly Address[] }
  /** A snapshot was installed after `snapshotWanted` (§2.12). */
  | { readonly kind: 'installed'; readonly nowMs: number; readonly anchor: Anchor };
