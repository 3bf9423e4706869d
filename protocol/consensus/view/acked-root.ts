import { merkleRoot } from '../../crypto/index.ts';
import { bytesOf, concatBytes, uintBytes, type Hash32 } from '../../types/index.ts';
import type { AckedRef } from '../message.ts';

/** Leaves of `ackedRoot`: entry id ‖ view of its certificate. */
export function ackedRootOf(acked: readonly AckedRef[]): Hash32 {
  return merkleRoot(acked.map(({ id, certView }) => concatBytes(bytesOf(id), uintBytes(certView, 8))));
}
