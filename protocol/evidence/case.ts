import { digestOf, type Domain, type StructName, type StructValue } from '../codec/index.ts';
import { recoverSigner, rootOfPath, stepsAt } from '../crypto/index.ts';
import { quorumOf, type Address, type Epoch, type GroupId, type Hash32, type Signature } from '../types/index.ts';
import type { FlatCertified } from './flat.ts';

/** What the registry knows of an epoch. */
export interface EpochRecord {
  readonly roster: readonly Address[];
  /** Unix seconds, undefined while it lasts. */
  readonly endedAt: bigint | undefined;
}

/** What the vault knows of whoever signs, or once signed, with a key. */
export interface SignerRecord {
  readonly node: Address;
  readonly status: 'active' | 'tombstoned' | 'void';
  /** Unix seconds of the last lesser fault; zero without one. */
  readonly lastFaultAt: bigint;
}

/** The chain as the contract would see it, with its parameters in seconds. */
export interface JudgeContext {
  readonly domain: Domain;
  readonly now: bigint;
  readonly evidenceWindow: bigint;
  readonly absolution: bigint;
  epochOf(group: GroupId, epoch: Epoch): EpochRecord | undefined;
  signerOf(signer: Address): SignerRecord | undefined;
}

/** Custom errors of the slashers and their libraries, word for word. */
export type RefusalName =
  | 'UnknownRoster' | 'EvidenceExpired' | 'SignerMismatch' | 'AlreadyPunished' | 'Absolved' | 'FutureAnswer' | 'NotConflicting' | 'BadProof'
  | 'BadTreeProof' | 'BadIndex' | 'NotAccepted' | 'NoQuorum' | 'NotSigned';

/** Thrown inside the judge where the contract reverts. */
export class Refusal {
  readonly error: RefusalName;

  constructor(error: RefusalName) {
    this.error = error;
  }
}

export function refuseIf(condition: boolean, error: RefusalName): void {
  if (condition) throw new Refusal(error);
}

/** The open case: who is accused under which domain. */
export interface Case {
  readonly context: JudgeContext;
  readonly group: GroupId;
  readonly epoch: Epoch;
  readonly roster: readonly Address[];
  readonly accused: Address;
}

export function mustSign<N extends StructName>(open: Case, name: N, value: StructValue<N>, signature: Signature): void {
  refuseIf(recoverSigner(digestOf(open.context.domain, name, value), signature) !== open.accused, 'SignerMismatch');
}

export function mustBeCertified(open: Case, height: bigint, { stateRoot, detail, signatures }: FlatCertified): void {
  const digest = digestOf(open.context.domain, 'Checkpoint', { group: open.group, epoch: open.epoch, height, stateRoot, detail });
  for (const { index, signature } of signatures) {
    const member = open.roster[index];
    refuseIf(member === undefined || recoverSigner(digest, signature) !== member, 'NotSigned');
  }
  refuseIf(signatures.length < quorumOf(open.roster.length), 'NoQuorum');
}

/** Root of a list tree (DATA-6) from a leaf at `index`. */
export function climb(leaf: Uint8Array, index: number, siblings: readonly Hash32[]): Hash32 {
  refuseIf(siblings.length > 32 || index >= 2 ** siblings.length, 'BadIndex');
  return rootOfPath(leaf, stepsAt(index, siblings));
}
