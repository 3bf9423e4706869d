import type { Command, EntryId, Height, KeyVersion, Path } from '../types/index.ts';

/** Finds the command of an entry that is not yet in the committed state. */
export type PendingCommands = (id: EntryId) => Command | undefined;

/**
 * What the replica asks about the committed state. Synchronous and deterministic: two replicas at
 * the same committed block give the same answers.
 */
export interface Application {
  /** Committed version of a key; undefined when it was never written or is deleted. */
  versionOf(path: Path): KeyVersion | undefined;
  /**
   * Whether the body does what its footprint says and breaks no constraint, given the versions its
   * items name. 'unresolved' when a named version is neither committed nor pending.
   */
  check(command: Command, pending: PendingCommands): 'valid' | 'invalid' | 'unresolved';
  /** Paths of W items that the command leaves absent; asked only about commands that are 'valid'. */
  removes(command: Command, pending: PendingCommands): readonly Path[];
  /** Reads a command back from its bytes; the same bytes give the same command. Throws for malformed bytes. */
  commandOf(bytes: Uint8Array): Command;
  /**
   * False while proofs that the command carries are not of the present epoch of the group they speak for, as far as this node
   * knows (X-EPOCH). Asked before a command is proposed or voted for, never when it is executed. Without it: always true.
   */
  timely?(command: Command): boolean;
  /** Encoded committed block (`AppliedBlock.encoded`) while it is in the history window. */
  blockAt(height: Height): Uint8Array | undefined;
}
