import { operations } from '../../protocol/query/index.ts';
import { hexOf, type GroupId } from '../../protocol/types/index.ts';
import { networkFaults } from './faults.ts';

const CARRY_TIMEOUT_MS = 3_000;

/**
 * Hands an encoded cross-group message to a node that shares no group with this one, and so has no link to it: over the API that
 * clients use. What it carries is proof by itself. Throws NETWORK_NOT_CARRIED.
 */
export async function carryTo(apiUrl: string, group: GroupId, message: Uint8Array): Promise<void> {
  const { url, request } = operations.carry;
  const body = JSON.stringify(request.toJson({ group, message: hexOf(message) }));
  const response = await fetch(`${apiUrl.replace(/\/+$/, '')}${url}`, {
    method: 'POST', body, headers: { 'content-type': 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(CARRY_TIMEOUT_MS),
  }).catch((error: unknown) => Promise.reject(networkFaults.notCarried({ apiUrl }, error)));
  await response.body?.cancel(); // the answer is for clients; whoever it is need not be read to the end
  if (!response.ok) throw networkFaults.notCarried({ apiUrl, status: response.status });
}
