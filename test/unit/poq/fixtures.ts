import { createHash } from 'node:crypto';
import { askedByRank, digestOf, signStruct, type Domain, type StructValue } from '../../../protocol/codec/index.ts';
import { addressOf, keccak256, signDigest } from '../../../protocol/crypto/index.ts';
import { checkpointDigestOf, configHashOf, detailHashOf, rosterOf, type CertifiedCheckpoint } from '../../../protocol/membership/index.ts';
import {
  challengeFor, requestFor, type ChallengeSeed, type Expectation, type PoqAnswer, type RowReply,
} from '../../../protocol/poq/index.ts';
import { batchOf, packWriterSignature, type BatchSignature, type WriterSignature } from '../../../protocol/rows/index.ts';
import { createTree, type StateTree, type TreeRoot } from '../../../protocol/state-tree/index.ts';
import {
  bytesOf, hexOf, ZERO_HASH, type Address, type Hash32, type Path, type Timestamp,
} from '../../../protocol/types/index.ts';

export const hash = (label: string): Hash32 => hexOf(createHash('sha256').update(label).digest()) as Hash32;
export const path = (i: number): Path => hash(`path ${i}`);
export const domain: Domain = { chainId: 31337n, verifyingContract: `0x${'11'.repeat(20)}` as Address };
export const group = hash('group');
export const epoch = 3n;

const keys = new Map([1, 2, 3, 4, 5].map((n) => [addressOf(bytesOf(hash(`key ${n}`))), bytesOf(hash(`key ${n}`))]));
const everyone = [...keys.keys()];
/** A client or writer outside the roster. */
export const outsider = everyone[4] as Address;
export const roster = rosterOf(group, epoch, everyone.slice(0, 4).sort());
export const [self, target, third] = roster.replicas as [Address, Address, Address];
export const keyOf = (who: Address): Uint8Array => keys.get(who) as Uint8Array;

export interface State { readonly tree: StateTree; readonly root: TreeRoot; readonly certified: CertifiedCheckpoint }

/** A certified checkpoint over rows 0..count. */
export function stateOf(count: number, height = 10n, changed: Record<number, Hash32> = {}): State {
  const tree = createTree();
  const root = tree.build(Array.from({ length: count }, (_, i) => ({ path: path(i), rowHash: changed[i] ?? hash(`row ${i}`) })));
  return { tree, root, certified: certify(root.hash, root.count, height) };
}

export function certify(stateRoot: Hash32, rowCount: bigint, height: bigint): CertifiedCheckpoint {
  const detail = { closeTs: 5n as Timestamp, rowCount, capsuleHead: hash('head'), previous: ZERO_HASH, configHash: configHashOf(roster) };
  const checkpoint = { group, epoch, height, stateRoot, detail: detailHashOf(detail) };
  const digest = checkpointDigestOf(domain, checkpoint);
  const signatures = [0, 1, 2].map((replica) => ({ replica, signature: signDigest(digest, keyOf(roster.replicas[replica] as Address)) }));
  return { checkpoint, detail, signatures };
}

export function seedOf(state: State, part: Partial<ChallengeSeed> = {}): ChallengeSeed {
  const { height } = state.certified.checkpoint;
  return { beacon: hash('block'), challenger: self, target, group, epoch, height, rowCount: state.root.count, index: 7n, ...part };
}

export function expectationOf(state: State, part: Partial<Expectation> = {}): Expectation {
  const seed = seedOf(state);
  return {
    domain, roster, target, querier: self, request: requestFor(seed), rank: challengeFor(seed), certified: state.certified,
    local: state.root.count > 0n ? state.tree.proveRank(state.root, challengeFor(seed)) : null, ...part,
  };
}

type Answer = StructValue<'Answer'>;

/** What an honest target answers from `state`, with parts replaced before it is signed. */
export function answerOf(state: State, expected: Expectation, part: Partial<Answer> = {}, signer: Address = target): PoqAnswer {
  const { height, stateRoot } = state.certified.checkpoint;
  const leaf = state.tree.at(state.root, expected.rank);
  const answer: Answer = {
    group, epoch, height, minHeight: expected.certified.checkpoint.height, seq: 1n, stateRoot, path: leaf.path, rowHash: leaf.rowHash,
    request: askedByRank(expected.request, expected.rank), querier: expected.querier, issuedAt: 1n, ...part,
  };
  const signature = signStruct(domain, 'Answer', answer, keyOf(signer));
  return { answer, signature, proof: state.tree.proveRank(state.root, expected.rank), checkpoint: state.certified };
}

/** A row handed over with its writer's signature; `writerKey` other than the writer's forges it. */
export function rowOf(expected: Expectation, part: Partial<StructValue<'RowAnswer'>> = {}, writerKey: Address = outsider): RowReply {
  const transaction = hash('transaction');
  return replyOf(expected, { transaction, ...part }, signDigest(transaction, keyOf(writerKey)));
}

/** The same, signed by its writer as one of three. */
export function batchedRowOf(expected: Expectation, change: Partial<BatchSignature> = {}): RowReply {
  const [transaction, other] = [hash('transaction'), hash('other')];
  const batch = batchOf(outsider, [other, transaction, other].map((id) => ({ id, notAfter: 9n })));
  const share = batch.shares(signDigest(digestOf(domain, 'TxBatch', batch.value), keyOf(outsider)))[1] as BatchSignature;
  return replyOf(expected, { transaction }, { ...share, ...change });
}

function replyOf(expected: Expectation, part: Partial<StructValue<'RowAnswer'>>, writerSignature: WriterSignature): RowReply {
  const row = {
    group, epoch, seq: 2n, path: path(0), rowHash: hash('row 0'), transaction: hash('transaction'), writer: outsider,
    signatureHash: hexOf(keccak256(packWriterSignature(writerSignature))) as Hash32, querier: expected.querier, issuedAt: 1n, ...part,
  };
  return { row, signature: signStruct(domain, 'RowAnswer', row, keyOf(expected.target)), writerSignature };
}
