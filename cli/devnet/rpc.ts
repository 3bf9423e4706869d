import { cliFaults } from '../faults.ts';

/** One JSON-RPC call to a chain node. */
export async function rpc<T>(url: string, method: string, params: readonly unknown[] = []): Promise<T> {
  let response: Response;
  try {
    response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
  } catch (error) {
    throw cliFaults.noNetwork({ url }, error);
  }
  const body = (await response.json()) as { result?: T; error?: { message: string } };
  if (body.error) throw cliFaults.noNetwork({ url, method, reason: body.error.message });
  return body.result as T;
}

/** Local chains only: moves the clock forward and mines one block. */
export async function travel(url: string, seconds: number): Promise<void> {
  await rpc(url, 'evm_increaseTime', [seconds]);
  await rpc(url, 'evm_mine');
}

/**
 * Local chains only: mines blocks one by one. Those of `hardhat_mine` get their hashes when they are looked at, which nodes
 * that follow the chain take for reorganisations.
 */
export async function mine(url: string, blocks: number): Promise<void> {
  for (let i = 0; i < blocks; i++) await rpc(url, 'evm_mine');
}
