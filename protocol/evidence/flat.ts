import type { ProofStep } from '../state-tree/index.ts';
import type { Address, Signature } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';
import { account, compact, counted, hash, sequence, small, wide, writerSignature, type Field, type Unpacked } from './layout.ts';

/*
 * The packed forms of docs/contracts/evidence.md, in the order in which SlasherObjective reads them.
 * Everything both statements share stands once.
 */
const MAX_CERTIFICATE = 64;

const head = { group: hash, epoch: wide(8) };

/** size(1) ‖ accused index(1) ‖ addresses. */
const members: Field<{ readonly index: number; readonly roster: readonly Address[] }> = {
  write({ index, roster }, out) {
    small(1).write(roster.length, out);
    small(1).write(index, out);
    for (const address of roster) account.write(address, out);
  },
  read(from) {
    const size = small(1).read(from);
    const index = small(1).read(from);
    return { index, roster: Array.from({ length: size }, () => account.read(from)) };
  },
};

export interface FlatSignature {
  readonly index: number;
  readonly signature: Signature;
}

/** Bitmap of the signers(8) ‖ their signatures, lowest index first. */
export const certificate: Field<readonly FlatSignature[]> = {
  write(signatures, out) {
    let bits = 0n;
    let last = -1;
    for (const { index } of signatures) {
      if (index <= last || index >= MAX_CERTIFICATE) throw evidenceFaults.notPackable({ index });
      bits |= 1n << BigInt(index);
      last = index;
    }
    wide(8).write(bits, out);
    for (const { signature } of signatures) compact.write(signature, out);
  },
  read(from) {
    const bits = wide(8).read(from);
    const indexes = Array.from({ length: MAX_CERTIFICATE }, (_, i) => i).filter((i) => (bits >> BigInt(i)) & 1n);
    return indexes.map((index) => ({ index, signature: compact.read(from) }));
  },
};

const certified = sequence({ stateRoot: hash, detail: hash, signatures: certificate });
const merklePath = counted(hash);
const side = sequence({
  batchRoot: hash, accept: wide(32), signature: compact, txId: hash, ts: wide(12), mode: small(1), itemIndex: small(4), itemPath: merklePath,
  entryIndex: small(1), entryPath: merklePath,
});
const blockVote = sequence({ blockHash: hash, qcView: wide(8), qcRound: small(4), signature: compact });
const proposal = sequence({ blockHash: hash, signature: compact });
const step: Field<ProofStep> = sequence({ depth: small(1), siblingCount: wide(5), sibling: hash });
export const walk = { rowHash: hash, steps: counted(step) };

const forms = {
  present: sequence(walk),
  absent: sequence({ path: hash, ...walk }),
  empty: sequence({}),
  certificate: certified,
} as const;
type Forms = typeof forms;
export type FlatForm = { [K in keyof Forms]: { readonly kind: K } & Unpacked<Forms[K]> }[keyof Forms];
const formNames = Object.keys(forms) as (keyof Forms)[];

const form: Field<FlatForm> = {
  write(value, out) {
    small(1).write(formNames.indexOf(value.kind), out);
    (forms[value.kind] as Field<unknown>).write(value, out);
  },
  read(from) {
    const kind = formNames[small(1).read(from)];
    if (kind === undefined) throw evidenceFaults.malformed({ at: from.at });
    return { kind, ...(forms[kind] as Field<object>).read(from) } as FlatForm;
  },
};

/** Body of each offence after the head. */
export const layouts = {
  VoteConflict: sequence({ ...head, members, view: wide(8), path: hash, version: hash, first: side, second: side }),
  DoubleBlockVote: sequence({ ...head, members, view: wide(8), round: small(4), first: blockVote, second: blockVote }),
  DoubleProposal: sequence({ ...head, members, view: wide(8), round: small(4), first: proposal, second: proposal }),
  FalseCheckpoint: sequence({ ...head, members, height: wide(8), certified, stateRoot: hash, detail: hash, signature: compact }),
  FalseAnswer: sequence({
    ...head, members, height: wide(8), minHeight: wide(8), seq: wide(8), stateRoot: hash, path: hash, rowHash: hash, request: hash,
    querier: account, issuedAt: wide(8), signature: compact, form,
  }),
  ForgedRow: sequence({
    ...head, members, seq: wide(8), path: hash, rowHash: hash, transaction: hash, writer: account, querier: account, issuedAt: wide(8),
    signature: compact, writerSignature,
  }),
} as const;

type Layouts = typeof layouts;
/** Evidence as the contract sees it: what the bytes say and no more. */
export type Flat = { [K in keyof Layouts]: { readonly kind: K; readonly beneficiary: Address | null } & Unpacked<Layouts[K]> }[keyof Layouts];
export type FlatOf<K extends Flat['kind']> = Extract<Flat, { readonly kind: K }>;
export type FlatSide = Unpacked<typeof side>;
export type FlatCertified = Unpacked<typeof certified>;
