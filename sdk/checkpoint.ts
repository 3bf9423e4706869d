import type { CertifiedCheckpoint } from '../protocol/query/index.ts';
import type { Hash32 } from '../protocol/types/index.ts';
import { exchangeOver, type Fetch } from './net/exchange.ts';
import { baseUrl, callNode } from './net/http.ts';

const TIMEOUT_MS = 5_000;

/** A group's newest certified checkpoint as one node tells it; unchecked: who uses it, a contract for instance, checks the signatures. SDK_*, API_*. */
export function checkpointAt(url: string, group: Hash32, fetcher: Fetch = fetch): Promise<CertifiedCheckpoint> {
  return callNode(exchangeOver(fetcher), baseUrl(url), 'checkpoint', { group }, TIMEOUT_MS);
}
