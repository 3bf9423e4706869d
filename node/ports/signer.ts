import type { Domain, StructName, StructValue } from '../../protocol/codec/index.ts';
import type { Address, Signature } from '../../protocol/types/index.ts';

/**
 * The slot a signature fills, for the kinds where a second, different signature would be slashable.
 * `kind` and `slot` name the slot (for example "BlockVote", "<group>/<epoch>/<view>/<round>").
 */
export interface SignPosition {
  readonly kind: StructName;
  readonly slot: string;
}

/**
 * Statements of which two different ones about one slot are an offence (consensus §3.2): `sign`
 * refuses them, only `signAt` makes them.
 */
export const GUARDED_KINDS: ReadonlySet<StructName> = new Set<StructName>([
  'FastVote', 'FastAck', 'Proposal', 'BlockVote', 'ViewChange', 'Checkpoint',
]);

/**
 * Holds the node's hot key and a durable guard (consensus §2.14). Asking again for the same slot and
 * content returns the stored signature; the same slot with other content throws
 * SIGNER_WOULD_CONTRADICT and uses no key.
 */
export interface Signer {
  readonly address: Address;
  readonly domain: Domain;
  /**
   * The end of the guard's record was unreadable: probably a flush that never finished, possibly a
   * released signature. Abstain until a later view (consensus §2.14).
   */
  readonly torn: boolean;
  /**
   * Guarded kinds, asked for once the statement's own record is flushed. The guard's record survives the process before
   * the signature is returned, and power loss soon after (decision 0180).
   */
  signAt<N extends StructName>(position: SignPosition, name: N, value: StructValue<N>): Promise<Signature>;
  /** Kinds that cannot contradict (answers, offers, hellos). */
  sign<N extends StructName>(name: N, value: StructValue<N>): Signature;
  /** Positions of the highest slot of `kind` remembered under `<group>/<epoch>`; undefined when there is none. */
  newest(kind: StructName, prefix: string): readonly string[] | undefined;
  /**
   * Forgets every slot of `kind` below the watermark `below` (`<group>/<epoch>/<view>…`, fewer positions
   * speak for all slots under them) and closes them for ever: SIGNER_BELOW_WATERMARK. Without it the
   * guard fills up (limits.guardSlots). Resolves when durable.
   */
  forget(kind: StructName, below: string): Promise<void>;
  close(): Promise<void>;
}
