import { chainFaults } from './faults.ts';

/** What a JSON-RPC server says instead of a result. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** The provider understood and refused; `error` is what it said. */
export class RpcRefusal extends Error {
  readonly error: RpcError;

  constructor(method: string, error: RpcError) {
    super(`${method}: ${error.message}`);
    this.name = 'RpcRefusal';
    this.error = error;
  }
}

export interface Rpc {
  /** Throws CHAIN_UNREACHABLE, CHAIN_MALFORMED, or RpcRefusal. */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
}

/** JSON-RPC over HTTP POST, one request at a time per call, bounded in time. */
export function createRpc(url: string, timeoutMs: number): Rpc {
  let id = 0;
  return {
    async call(method, params) {
      id += 1;
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
      const answer = await post(url, body, timeoutMs, method);
      if (typeof answer !== 'object' || answer === null) throw chainFaults.malformed({ method });
      const { result, error } = answer as { result?: unknown; error?: RpcError };
      if (error !== undefined) throw new RpcRefusal(method, error);
      if (result === undefined) throw chainFaults.malformed({ method });
      return result;
    },
  };
}

async function post(url: string, body: string, timeoutMs: number, method: string): Promise<unknown> {
  let text: string;
  let status: number;
  try {
    const response = await fetch(url, {
      method: 'POST', body, headers: { 'content-type': 'application/json' }, signal: AbortSignal.timeout(timeoutMs),
    });
    text = await response.text();
    ({ status } = response);
  } catch (error) {
    throw chainFaults.unreachable({ method, reason: reasonOf(error) }, error);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw chainFaults.unreachable({ method, status, reason: 'not JSON' }, error);
  }
}

/** fetch hides the useful part in `cause`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (!(cause instanceof Error)) return String(cause);
  return (cause as NodeJS.ErrnoException).code?.toString() ?? cause.message;
}

/** A 0x quantity as bigint; throws CHAIN_MALFORMED. */
export function quantity(value: unknown, field: string): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-fA-F]+$/.test(value)) throw chainFaults.malformed({ field });
  return BigInt(value);
}

export function toQuantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
