import type { Domain } from '../../protocol/codec/index.ts';
import { remembering, transactionReader, verifierOf, type CommandReader, type Verifier } from '../../protocol/consensus/index.ts';
import { crossGroupVerifier, provesThePresent, stageReader, type Groups, type Place, type ProofParts } from '../../protocol/cross-group/index.ts';
import type { Command } from '../../protocol/types/index.ts';
import type { ChainPort } from '../ports/index.ts';

/** How a replica of one group in one epoch reads and judges commands: signed transactions, and stages of those over several groups. */
export interface Commands {
  readonly read: CommandReader;
  readonly verifier: Verifier;
  /** X-EPOCH. */
  timely(command: Command): boolean;
}

/** One reader for all groups of a node: a command that several of them meet is read once. */
export function readerFor(domain: Domain): CommandReader {
  return remembering(stageReader(transactionReader(domain)));
}

/** Proofs of other groups are checked against the rosters of the registry contract. */
export function proofPartsOf(domain: Domain, chain: Pick<ChainPort, 'roster' | 'group'>, base: Verifier = verifierOf(domain)): ProofParts {
  const groups: Groups = { roster: (group, epoch) => chain.roster(group, epoch), currentEpoch: (group) => chain.group(group)?.epoch };
  return { domain, groups, base };
}

export function commandsOf(proofs: ProofParts, place: Place, read: CommandReader = readerFor(proofs.domain)): Commands {
  return { read, verifier: crossGroupVerifier(proofs, place), timely: (command) => provesThePresent(proofs, command) };
}
