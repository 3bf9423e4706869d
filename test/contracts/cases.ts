import { askedByRank, digestOf, signStruct, type StructName, type StructValue } from '../../protocol/codec/index.ts';
import { addressOf as addressOfKey, keccak256, merklePath, merkleRoot, sha256, sha256Hex, signDigest } from '../../protocol/crypto/index.ts';
import { headerBytes } from '../../protocol/consensus/block.ts';
import type { Evidence, OpenedRoot, OpenedVote, Signed } from '../../protocol/evidence/index.ts';
import { rosterOf, type CertifiedCheckpoint, type CheckpointDetail } from '../../protocol/membership/index.ts';
import { batchOf, entryIdOf, footprintRootOf, itemBytes, packWriterSignature, type BatchSignature } from '../../protocol/rows/index.ts';
import { createTree, type Leaf } from '../../protocol/state-tree/index.ts';
import {
  bytesOf, concatBytes, hexOf, quorumOf, uintBytes, ZERO_HASH, type Address, type EntryId, type Hash32, type Item, type Path, type Signature, type Timestamp, type TxId,
} from '../../protocol/types/index.ts';
import type { TestGroup, World } from './world.ts';

export type CaseOf<K extends Evidence['kind']> = Extract<Evidence, { readonly kind: K }>;

/** Where statements are made: a group in an epoch. Cases need no chain, only its domain and the members' keys. */
export interface Place {
  readonly world: World;
  readonly group: TestGroup;
  readonly epoch: bigint;
}

function sign<N extends StructName>(world: Place['world'], node: { readonly key: Uint8Array }, name: N, value: StructValue<N>): Signature {
  return signStruct(world.domain, name, value, node.key);
}

export const h = (text: string): Hash32 => sha256Hex(new TextEncoder().encode(text));
const ts = (n: number): Timestamp => (BigInt(n) << 48n) as Timestamp;

export function chargeOf({ group, epoch }: Place, culprit: number): { readonly roster: ReturnType<typeof rosterOf>; readonly culprit: number } {
  return { roster: rosterOf(group.group, epoch, group.roster), culprit };
}

const memberOf = ({ group }: Place, index: number): TestGroup['members'][number] => group.members[index] as TestGroup['members'][number];

/** Entry `index` of a batch of `size`, accepted by `voter`; its item is one of `items`. */
export interface VoteShape {
  readonly mode: 'R' | 'W';
  readonly tsMs: number;
  readonly size: number;
  readonly index: number;
  readonly items: number;
  readonly seed: string;
}

export const key = { path: h('a key') as Path, version: h('a version') as EntryId };

export function openedVote(place: Place, voter: number, shape: VoteShape, view = 7n, on: { path: Path; version: EntryId } = key): OpenedVote {
  const item: Item = { ...on, mode: shape.mode };
  const items = Array.from({ length: shape.items }, (_, i): Item => ({ path: h(`${shape.seed} item ${i}`) as Path, version: ZERO_HASH as EntryId, mode: 'W' }));
  const at = shape.items >> 1;
  items[at] = item;
  const footprintRoot = footprintRootOf(items);
  const command = h(`${shape.seed} command`) as TxId;
  const entryId = entryIdOf(command, ts(shape.tsMs), footprintRoot);
  const entries = Array.from({ length: shape.size }, (_, i) => bytesOf(h(`${shape.seed} entry ${i}`)));
  entries[shape.index] = bytesOf(entryId);
  const value: StructValue<'FastVote'> = {
    group: place.group.group, epoch: place.epoch, view, batchRoot: merkleRoot(entries), accept: 1n << BigInt(shape.index),
  };
  return {
    value, signature: sign(place.world, memberOf(place, voter), 'FastVote', value), index: shape.index, entryPath: merklePath(entries, shape.index),
    command, ts: ts(shape.tsMs), footprintRoot, item, itemPath: merklePath(items.map(itemBytes), at),
  };
}

export function voteConflict(place: Place, culprit: number, beneficiary: Address, a: Partial<VoteShape> = {}, b: Partial<VoteShape> = {}) {
  const base: VoteShape = { mode: 'W', tsMs: 100, size: 1, index: 0, items: 2, seed: 'a' };
  const evidence: CaseOf<'VoteConflict'> = {
    kind: 'VoteConflict', ...chargeOf(place, culprit), beneficiary,
    first: openedVote(place, culprit, { ...base, ...a }), second: openedVote(place, culprit, { ...base, seed: 'b', ...b }),
  };
  return evidence;
}

export function blockVote(place: Place, voter: number, block: string, round = 3): Signed<StructValue<'BlockVote'>> {
  const value: StructValue<'BlockVote'> = {
    group: place.group.group, epoch: place.epoch, view: 2n, round, blockHash: h(block), qcView: 2n, qcRound: 2,
  };
  return { value, signature: sign(place.world, memberOf(place, voter), 'BlockVote', value) };
}

export function doubleBlockVote(place: Place, culprit: number, beneficiary: Address, blocks: readonly [string, string] = ['x', 'y']) {
  const evidence: CaseOf<'DoubleBlockVote'> = {
    kind: 'DoubleBlockVote', ...chargeOf(place, culprit), beneficiary,
    first: blockVote(place, culprit, blocks[0]), second: blockVote(place, culprit, blocks[1]),
  };
  return evidence;
}

/** A vote of `round` in view 2 that states the lock (view, round). */
export function lockVote(place: Place, voter: number, round: number, qcView: bigint, qcRound: number): Signed<StructValue<'BlockVote'>> {
  const { value } = blockVote(place, voter, `block of round ${round}`, round);
  const stated = { ...value, qcView, qcRound };
  return { value: stated, signature: sign(place.world, memberOf(place, voter), 'BlockVote', stated) };
}

export function lockRegress(place: Place, culprit: number, beneficiary: Address, rounds: readonly [number, number] = [3, 5], second = 1) {
  const evidence: CaseOf<'LockRegress'> = {
    kind: 'LockRegress', ...chargeOf(place, culprit), beneficiary,
    first: lockVote(place, culprit, rounds[0], 2n, 2), second: lockVote(place, culprit, rounds[1], 2n, second),
  };
  return evidence;
}

export interface ChangeShape {
  readonly newView: bigint;
  readonly qcView: bigint;
  readonly qcRound: number;
  readonly ackSeq: bigint;
  readonly head: string;
}

export function viewChange(place: Place, voter: number, shape: Partial<ChangeShape> = {}): Signed<StructValue<'ViewChange'>> {
  const { head, ...rest } = { newView: 3n, qcView: 2n, qcRound: 1, ackSeq: 6n, head: 'ack head', ...shape };
  const value: StructValue<'ViewChange'> = {
    group: place.group.group, epoch: place.epoch, qcBlock: h('certified block'), ackHead: h(head), ackedRoot: h('acked'), ...rest,
  };
  return { value, signature: sign(place.world, memberOf(place, voter), 'ViewChange', value) };
}

export function rankUnderreport(place: Place, culprit: number, beneficiary: Address, shape: Partial<ChangeShape> = {}) {
  const evidence: CaseOf<'RankUnderreport'> = {
    kind: 'RankUnderreport', ...chargeOf(place, culprit), beneficiary,
    vote: lockVote(place, culprit, 4, 2n, 2), change: viewChange(place, culprit, shape),
  };
  return evidence;
}

export function fastAck(place: Place, voter: number, shape: { view?: bigint; ackSeq?: bigint; head?: string; batch?: string } = {}): Signed<StructValue<'FastAck'>> {
  const { view = 2n, ackSeq = 6n, head = 'ack head', batch = 'batch' } = shape;
  const value: StructValue<'FastAck'> = {
    group: place.group.group, epoch: place.epoch, view, batchRoot: h(batch), acked: 5n, ackSeq, ackHead: h(head),
  };
  return { value, signature: sign(place.world, memberOf(place, voter), 'FastAck', value) };
}

/** A fork of the log of acknowledgements, told by another acknowledgement or by a view change. */
export function ackFork(place: Place, culprit: number, beneficiary: Address, second: CaseOf<'AckFork'>['second']): CaseOf<'AckFork'> {
  return { kind: 'AckFork', ...chargeOf(place, culprit), beneficiary, first: fastAck(place, culprit), second };
}

/** An acknowledged write, and a vote for a block of the same view in which `consumer` took its version. */
export function ackThenConsume(place: Place, culprit: number, beneficiary: Address, shape: { consumer?: EntryId | 'own'; version?: EntryId; size?: number } = {}) {
  const on = { ...key, version: shape.version ?? key.version };
  const opened = openedVote(place, culprit, { mode: 'W', tsMs: 100, size: shape.size ?? 3, index: 1, items: 2, seed: 'acked' }, 7n, on);
  const own = entryIdOf(opened.command, opened.ts, opened.footprintRoot);
  const ackValue: StructValue<'FastAck'> = {
    group: place.group.group, epoch: place.epoch, view: 7n, batchRoot: opened.value.batchRoot, acked: opened.value.accept, ackSeq: 9n, ackHead: h('head 9'),
  };
  const to = shape.consumer === 'own' ? own : shape.consumer ?? (h('another entry') as EntryId);
  const effects = [{ path: h('before') as Path, from: h('f') as EntryId, to: h('t') as EntryId }, { path: on.path, from: on.version, to }];
  const bytes = effects.map(({ path, from, to: by }) => concatBytes(bytesOf(path), bytesOf(from), bytesOf(by)));
  const header = headerBytes({
    group: place.group.group, epoch: place.epoch as never, view: 7n as never, round: 4, height: 44n as never, parent: h('parent') as never, kind: 'normal',
    closeTs: ts(50), maxTs: ts(99), count: 2, entriesRoot: h('entries'), effectsRoot: merkleRoot(bytes), outcomeRoot: h('outcomes'), tcRoot: ZERO_HASH, next: ZERO_HASH,
  });
  const vote: StructValue<'BlockVote'> = {
    group: place.group.group, epoch: place.epoch, view: 7n, round: 4, blockHash: sha256Hex(header), qcView: 7n, qcRound: 3,
  };
  const evidence: CaseOf<'AckThenConsume'> = {
    kind: 'AckThenConsume', ...chargeOf(place, culprit), beneficiary,
    acked: { ...opened, value: ackValue, signature: sign(place.world, memberOf(place, culprit), 'FastAck', ackValue) },
    vote: { value: vote, signature: sign(place.world, memberOf(place, culprit), 'BlockVote', vote) },
    effect: { header: hexOf(header), to, path: merklePath(bytes, 1) },
  };
  return evidence;
}

export function doubleProposal(place: Place, culprit: number, beneficiary: Address, blocks: readonly [string, string] = ['x', 'y']) {
  const propose = (block: string): Signed<StructValue<'Proposal'>> => {
    const value: StructValue<'Proposal'> = { group: place.group.group, epoch: place.epoch, view: 2n, round: 3, blockHash: h(block) };
    return { value, signature: sign(place.world, memberOf(place, culprit), 'Proposal', value) };
  };
  const evidence: CaseOf<'DoubleProposal'> = {
    kind: 'DoubleProposal', ...chargeOf(place, culprit), beneficiary, first: propose(blocks[0]), second: propose(blocks[1]),
  };
  return evidence;
}

const detail: CheckpointDetail = {
  closeTs: ts(5), rowCount: 9n, capsuleHead: h('head'), previous: ZERO_HASH, configHash: h('config'),
};

export function certified(place: Place, stateRoot: Hash32, height = 40n, signers = defaultQuorum(place)): CertifiedCheckpoint {
  const checkpoint: StructValue<'Checkpoint'> = { group: place.group.group, epoch: place.epoch, height, stateRoot, detail: h('detail') };
  const signatures = signers.map((replica) => ({ replica, signature: sign(place.world, memberOf(place, replica), 'Checkpoint', checkpoint) }));
  return { checkpoint, detail, signatures };
}

export function defaultQuorum({ group }: Place): number[] {
  return Array.from({ length: quorumOf(group.roster.length) }, (_, i) => i);
}

export function falseCheckpoint(place: Place, culprit: number, beneficiary: Address, roots: readonly [string, string] = ['true', 'false']) {
  const other = certified(place, h(roots[1]), 40n, [culprit]);
  const evidence: CaseOf<'FalseCheckpoint'> = {
    kind: 'FalseCheckpoint', ...chargeOf(place, culprit), beneficiary, certified: certified(place, h(roots[0])),
    accused: { value: other.checkpoint, signature: (other.signatures[0] as { signature: Signature }).signature },
  };
  return evidence;
}

/** Two certificates of one height; members 0 to q - 1 sign one, the last q the other. */
export function forkedCertificates(place: Place, beneficiary: Address, roots: readonly [string, string] = ['true', 'false']): CaseOf<'ForkedCertificates'> {
  const n = place.group.roster.length;
  const last = defaultQuorum(place).map((i) => n - 1 - i).sort((a, b) => a - b);
  return {
    kind: 'ForkedCertificates', ...chargeOf(place, last[0] as number), beneficiary, first: certified(place, h(roots[0])),
    second: certified(place, h(roots[1]), 40n, last),
  };
}

/** A list of roots, opened at height 40. */
export function rootList(place: Place, node: number, querier: Address, issuedAt: bigint, { root = 'listed', size = 9, request = 'audit' } = {}): OpenedRoot {
  const leaves = Array.from({ length: size }, (_, i) => concatBytes(uintBytes(36 + i, 8), bytesOf(i === 4 ? h(root) : h(`root ${i}`))));
  const value: StructValue<'RootList'> = {
    group: place.group.group, epoch: place.epoch, count: size, listRoot: merkleRoot(leaves), request: h(request), querier, issuedAt,
  };
  return {
    value, signature: sign(place.world, memberOf(place, node), 'RootList', value), height: 40n, stateRoot: h(root), path: merklePath(leaves, 4),
  };
}

export function falseHistory(place: Place, culprit: number, querier: Address, issuedAt: bigint, kind: 'list' | 'answer' | 'certificate', { honest = false } = {}) {
  const other = honest ? 'listed' : 'another';
  const against: CaseOf<'FalseHistory'>['against'] = kind === 'list' ? { kind, ...rootList(place, culprit, querier, issuedAt, { root: other, size: 12 }) }
    : kind === 'certificate' ? { kind, certified: certified(place, h(other)) }
      : { kind, ...answer(place, culprit, { stateRoot: h(other), path: h('p') as Path, rowHash: h('r'), querier, issuedAt }) };
  const evidence: CaseOf<'FalseHistory'> = { kind: 'FalseHistory', ...chargeOf(place, culprit), list: rootList(place, culprit, querier, issuedAt), against };
  return evidence;
}

/** A tree of `size` rows whose paths are hashes. */
export function treeOf(size: number) {
  const leaves: Leaf[] = Array.from({ length: size }, (_, i) => ({ path: h(`path ${i}`) as Path, rowHash: h(`row ${i}`) }));
  const tree = createTree();
  const root = tree.build(leaves);
  return { tree, root, leaves };
}

export interface AnswerShape {
  readonly stateRoot: Hash32;
  readonly path: Path;
  readonly rowHash: Hash32;
  readonly querier: Address;
  readonly issuedAt: bigint;
  readonly seq?: bigint;
  readonly minHeight?: bigint;
  readonly height?: bigint;
  readonly request?: Hash32;
}

export function answer(place: Place, node: number, shape: AnswerShape): Signed<StructValue<'Answer'>> {
  const value: StructValue<'Answer'> = {
    group: place.group.group, epoch: place.epoch, height: 40n, minHeight: 30n, seq: 1n, request: h('request'), ...shape,
  };
  return { value, signature: sign(place.world, memberOf(place, node), 'Answer', value) };
}

/** An answer about the leaf at `at` whose request repeats `rank`, against the leaf at `shown`. */
export function otherRank(
  place: Place, culprit: number, querier: Address, issuedAt: bigint, shape: { at?: number; rank?: number; shown?: number; repeats?: number } = {},
): CaseOf<'FalseAnswer'> {
  const { at = 7, rank = 8 } = shape;
  const { shown = rank, repeats = rank } = shape;
  const request = h('a question');
  const { tree, root } = treeOf(50);
  const { path, rowHash } = tree.at(root, BigInt(at));
  const signed = answer(place, culprit, { stateRoot: root.hash, path, rowHash, querier, issuedAt, request: askedByRank(request, BigInt(repeats)) });
  return {
    kind: 'FalseAnswer', ...chargeOf(place, culprit), answer: signed,
    against: { kind: 'rank', request, rank: BigInt(rank), proof: tree.proveRank(root, BigInt(shown)) },
  };
}

export type AnswerForm = 'present' | 'absent' | 'empty' | 'certificate' | 'stale';

/** A lie of the wanted form; `honest` gives the truth instead. */
export function falseAnswer(
  place: Place, culprit: number, form: AnswerForm, querier: Address, issuedAt: bigint, { size = 50, honest = false, seq = 1n } = {},
): CaseOf<'FalseAnswer'> {
  const { tree, root, leaves } = treeOf(size);
  const charge = chargeOf(place, culprit);
  const leaf = leaves[size >> 1] as Leaf;
  const absent = h('nowhere') as Path;
  const make = (stateRoot: Hash32, path: Path, lie: Hash32, truth: Hash32) =>
    answer(place, culprit, { stateRoot, path, rowHash: honest ? truth : lie, querier, issuedAt, seq });
  const own = (value: CaseOf<'FalseAnswer'>['answer'], proof: ReturnType<typeof tree.prove>): CaseOf<'FalseAnswer'> => ({
    kind: 'FalseAnswer', ...charge, answer: value, against: { kind: 'ownRoot', proof },
  });
  switch (form) {
    case 'present': return own(make(root.hash, leaf.path, h('lie'), leaf.rowHash), tree.prove(root, leaf.path));
    case 'absent': return own(make(root.hash, absent, h('lie'), ZERO_HASH), tree.prove(root, absent));
    case 'empty': return own(make(ZERO_HASH, absent, h('lie'), ZERO_HASH), { terminal: null, steps: [] });
    case 'stale': return {
      kind: 'FalseAnswer', ...charge, against: { kind: 'stale' },
      answer: answer(place, culprit, { stateRoot: root.hash, path: leaf.path, rowHash: leaf.rowHash, querier, issuedAt, seq, minHeight: honest ? 40n : 41n }),
    };
    case 'certificate': return {
      kind: 'FalseAnswer', ...charge, answer: make(honest ? root.hash : h('another root'), leaf.path, leaf.rowHash, leaf.rowHash),
      against: { kind: 'certificate', certified: certified(place, root.hash) },
    };
  }
}

export function forgedRow(
  place: Place, culprit: number, querier: Address, issuedAt: bigint,
  { honest = false, seq = 1n, batch = 0, index = 0, change = {} as Partial<BatchSignature> } = {},
): CaseOf<'ForgedRow'> {
  const transaction = h('transaction') as TxId;
  const writerSignature = batch === 0 ? signDigest(transaction, sha256(uintBytes(77, 4))) : { ...shareOf(place, transaction, batch, index), ...change };
  const writer = honest ? writerAddress() : (`0x${'11'.repeat(20)}` as Address);
  const value: StructValue<'RowAnswer'> = {
    group: place.group.group, epoch: place.epoch, seq, path: h('path') as Path, rowHash: h('row'), transaction, writer,
    signatureHash: hexOf(keccak256(packWriterSignature(writerSignature))) as Hash32, querier, issuedAt,
  };
  return {
    kind: 'ForgedRow', ...chargeOf(place, culprit), writerSignature,
    row: { value, signature: sign(place.world, memberOf(place, culprit), 'RowAnswer', value) },
  };
}

/** The transaction's share of a signature over `size` of them. */
function shareOf({ world }: Place, transaction: TxId, size: number, index: number): BatchSignature {
  const transactions = Array.from({ length: size }, (_, i) => ({ id: i === index ? transaction : (h(`other ${i}`) as TxId), notAfter: 9n }));
  const batch = batchOf(writerAddress(), transactions);
  return batch.shares(signDigest(digestOf(world.domain, 'TxBatch', batch.value), sha256(uintBytes(77, 4))))[index] as BatchSignature;
}

function writerAddress(): Address {
  return addressOfKey(sha256(uintBytes(77, 4)));
}
