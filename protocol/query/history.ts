import { digestOf, type StructValue } from '../codec/index.ts';
import { merklePath, merkleRoot, recoverSigner } from '../crypto/index.ts';
import type { CertifiedCheckpoint } from '../membership/index.ts';
import { bytesOf, concatBytes, uintBytes, type Address, type Hash32 } from '../types/index.ts';
import { queryFaults } from './faults.ts';
import type { Lie } from './lies.ts';
import type { Asker } from './read.ts';
import type { RootsAnswer } from './wire/index.ts';

type ListedRoot = RootsAnswer['roots'][number];

/** What a node signs of the certified roots it knows of one epoch, heights ascending (Vidigueira §4.3.6). `issuedAt` in unix seconds. */
export function rootListOf(
  { group, epoch }: Pick<StructValue<'RootList'>, 'group' | 'epoch'>, roots: readonly ListedRoot[],
  { request, querier }: Pick<StructValue<'RootList'>, 'request' | 'querier'>, issuedAt: bigint,
): StructValue<'RootList'> {
  return { group, epoch, count: roots.length, listRoot: merkleRoot(roots.map(leafOf)), request, querier, issuedAt };
}

/**
 * Checks that a replica signed the list, for this question, over these roots; whether they are true is for `contradictionIn`.
 * @returns who signed it
 * @throws QUERY_NOT_A_REPLICA, QUERY_UNBOUND for a list that is of no use
 */
export function verifyRootList({ domain, roster, querier }: Asker, request: Hash32, { list, roots, signature }: RootsAnswer): Address {
  const signer = recoverSigner(digestOf(domain, 'RootList', list), signature);
  if (signer === undefined || !roster.replicas.includes(signer)) throw queryFaults.notAReplica({ signer: signer ?? 'nobody' });
  const expected = rootListOf({ group: roster.group, epoch: roster.epoch }, roots, { request, querier }, list.issuedAt);
  for (const [field, value] of Object.entries(expected)) {
    const got = list[field as keyof typeof list];
    if (got !== value) throw queryFaults.unbound({ field, got: String(got), expected: String(value) });
  }
  const disorder = roots.findIndex(({ height }, i) => i > 0 && height <= (roots[i - 1] as ListedRoot).height);
  if (disorder >= 0) throw queryFaults.unbound({ field: 'roots', got: `height ${(roots[disorder] as ListedRoot).height}`, expected: 'ascending heights' });
  return signer;
}

/** The lie that `node` listed another root for a certified height; undefined when it listed this one, or none. The certificate was verified. */
export function contradictionIn(node: Address, { list, roots, signature }: RootsAnswer, certified: CertifiedCheckpoint): (Lie & { kind: 'history' }) | undefined {
  const { group, epoch, height, stateRoot } = certified.checkpoint;
  if (list.group !== group || list.epoch !== epoch) return undefined;
  const at = roots.findIndex((root) => root.height === height);
  const listed = roots[at];
  if (listed === undefined || listed.stateRoot === stateRoot) return undefined;
  return { kind: 'history', node, root: { value: list, signature, ...listed, path: merklePath(roots.map(leafOf), at) }, certified };
}

/** height(8) ‖ stateRoot(32), as `SlasherAnswers` hashes it. */
function leafOf({ height, stateRoot }: ListedRoot): Uint8Array {
  return concatBytes(uintBytes(height, 8), bytesOf(stateRoot));
}
