import type { ProofStep } from '../state-tree/index.ts';
import type { Address, Signature } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';
import { account, bytes, compact, counted, hash, sequence, small, tagged, wide, writerSignature, type Field, type Unpacked } from './layout.ts';

/*
 * The packed forms of docs/contracts/evidence.md, in the order in which the slashers read them.
 * Everything both statements share stands once.
 */
const MAX_CERTIFICATE = 64;

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

const certifiedFields = { stateRoot: hash, detail: hash, signatures: certificate };
const certified = sequence(certifiedFields);
const merklePath = counted(hash);
/** From an item to its entry to the root of a batch; the root itself follows. */
const openedEntry = { txId: hash, ts: wide(12), itemIndex: small(4), itemPath: merklePath, entryIndex: small(1), entryPath: merklePath };
const side = sequence({ accept: wide(32), signature: compact, mode: small(1), ...openedEntry });
const lock = { qcView: wide(8), qcRound: small(4), signature: compact };
const blockVote = sequence({ blockHash: hash, ...lock });
const roundVote = sequence({ round: small(4), blockHash: hash, ...lock });
const proposal = sequence({ blockHash: hash, signature: compact });
const viewChange = sequence({
  newView: wide(8), qcView: wide(8), qcRound: small(4), qcBlock: hash, ackSeq: wide(8), ackHead: hash, ackedRoot: hash, signature: compact,
});
const ack = sequence({ view: wide(8), ackSeq: wide(8), batchRoot: hash, acked: wide(32), ackHead: hash, signature: compact });
const openedAck = sequence({ acked: wide(32), ackSeq: wide(8), ackHead: hash, signature: compact, ...openedEntry });
/** The header without what the evidence has already: group, epoch and view in front, the root of the effects between. */
const effect = sequence({ to: hash, index: small(4), path: merklePath, before: bytes(105), after: bytes(96), ...lock });
const step: Field<ProofStep> = sequence({ depth: small(1), siblingCount: wide(5), sibling: hash });
export const walk = { rowHash: hash, steps: counted(step) };
const answer = sequence({
  height: wide(8), minHeight: wide(8), seq: wide(8), path: hash, rowHash: hash, request: hash, querier: account, issuedAt: wide(8), signature: compact,
});
const openedList = sequence({
  count: small(4), request: hash, querier: account, issuedAt: wide(8), index: small(4), path: merklePath, signature: compact,
});

/** Layouts that begin with a byte for their form, then have what all forms share. */
const answerForms = tagged(answer, {
  present: sequence(walk), absent: sequence({ path: hash, ...walk }), empty: sequence({}), certificate: sequence({ claimed: hash, ...certifiedFields }),
  stale: sequence({ claimed: hash }), rank: sequence({ request: hash, rank: wide(8), path: hash, ...walk }),
});
const ackForms = tagged(ack, { ack, change: viewChange });
const historyForms = tagged(sequence({ height: wide(8), stateRoot: hash, list: openedList }), {
  list: sequence({ stateRoot: hash, list: openedList }), answer: sequence({ stateRoot: hash, answer }), certificate: certified,
});

const group = { group: hash, epoch: wide(8), members };

/** Every offence: the head, then its body. */
export const layouts = {
  VoteConflict: sequence({ ...group, view: wide(8), path: hash, version: hash, first: side, second: side }),
  DoubleBlockVote: sequence({ ...group, view: wide(8), round: small(4), first: blockVote, second: blockVote }),
  DoubleProposal: sequence({ ...group, view: wide(8), round: small(4), first: proposal, second: proposal }),
  LockRegress: sequence({ ...group, view: wide(8), first: roundVote, second: roundVote }),
  RankUnderreport: sequence({ ...group, view: wide(8), vote: roundVote, change: viewChange }),
  AckFork: sequence({ ...group, fork: ackForms }),
  AckThenConsume: sequence({ ...group, view: wide(8), path: hash, version: hash, acked: openedAck, effect }),
  FalseCheckpoint: sequence({ ...group, height: wide(8), certified, stateRoot: hash, detail: hash, signature: compact }),
  ForkedCertificates: sequence({ ...group, height: wide(8), first: certified, second: certified }),
  FalseAnswer: sequence({ ...group, answer: answerForms }),
  ForgedRow: sequence({
    ...group, seq: wide(8), path: hash, rowHash: hash, transaction: hash, writer: account, querier: account, issuedAt: wide(8),
    signature: compact, writerSignature,
  }),
  FalseHistory: sequence({ ...group, history: historyForms }),
} as const;

type Layouts = typeof layouts;
/** Evidence as the contract sees it: what the bytes say and no more. */
export type Flat = { [K in keyof Layouts]: { readonly kind: K; readonly beneficiary: Address | null } & Unpacked<Layouts[K]> }[keyof Layouts];
export type FlatOf<K extends Flat['kind']> = Extract<Flat, { readonly kind: K }>;
export type FlatSide = Unpacked<typeof side>;
export type FlatEntry = Pick<FlatSide, 'txId' | 'ts' | 'itemIndex' | 'itemPath' | 'entryIndex' | 'entryPath'>;
export type FlatCertified = Unpacked<typeof certified>;
export type FlatAnswer = Unpacked<typeof answer>;
export type FlatAnswerForm = Unpacked<typeof answerForms>['form'];
export type FlatAck = Unpacked<typeof ack>;
export type FlatChange = Unpacked<typeof viewChange>;
export type FlatList = Unpacked<typeof openedList>;
export type FlatHistory = Unpacked<typeof historyForms>;
export type FlatVote = Unpacked<typeof roundVote>;
