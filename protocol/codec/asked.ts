import { sha256Hex } from '../crypto/index.ts';
import { bytesOf, concatBytes, uintBytes, type Hash32 } from '../types/index.ts';

/*
 * What a signed `Answer` names as its request: the asker's value, and how the row was asked for (query QUERY-38). The node
 * computes it, so nobody can have an answer about one rank signed that repeats another (decision 0152).
 */
const utf8 = new TextEncoder();
const RANK_TAG = utf8.encode('picolo/asked/rank');
const PATH_TAG = utf8.encode('picolo/asked/path');

/** For the row at a rank: it repeats the rank, so an answer about another row convicts. */
export function askedByRank(request: Hash32, rank: bigint): Hash32 {
  return sha256Hex(concatBytes(RANK_TAG, bytesOf(request), uintBytes(rank, 8)));
}

/** For a key by its path, which the answer itself names. */
export function askedByPath(request: Hash32): Hash32 {
  return sha256Hex(concatBytes(PATH_TAG, bytesOf(request)));
}
