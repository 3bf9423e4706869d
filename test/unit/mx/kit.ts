import { signStruct, type Domain, type Scalar } from '../../../protocol/codec/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import type { Signer } from '../../../node/ports/index.ts';
import { getMessage, prepareGet, type Attest, type Get, type GetAsk } from '../../../protocol/mx/index.ts';
import type { Address } from '../../../protocol/types/index.ts';

export const domain: Domain = { chainId: 31337n, verifyingContract: `0x${'11'.repeat(20)}` as Address };
export const startMs = 1_700_000_000_000;

export interface Identity {
  readonly key: Uint8Array;
  readonly address: Address;
  readonly attest: Attest;
  readonly signer: Signer;
}

/** A key pair made from a small number. */
export function identity(seed: number): Identity {
  const key = new Uint8Array(32);
  key[30] = seed >> 8;
  key[31] = seed & 0xff;
  key[0] = 1;
  const address = addressOf(key);
  const signer: Signer = {
    address,
    domain,
    torn: false,
    signAt: async (_position, name, value) => signStruct(domain, name, value, key),
    sign: (name, value) => signStruct(domain, name, value, key),
    newest: () => undefined,
    forget: async () => undefined,
    close: async () => undefined,
  };
  return { key, address, signer, attest: (value) => signStruct(domain, 'MxSend', value, key) };
}

let nonce = 0n;

export function get(client: Identity, changes: Partial<GetAsk> = {}): Get {
  const prepared = prepareGet({
    client: client.address, nonce: ++nonce, query: new Uint8Array([1]), hops: 3, results: 100, mode: 'pull',
    expiresAtMs: BigInt(startMs + 30_000), ...changes,
  });
  return getMessage(prepared, signStruct(domain, 'MxAsk', prepared.toSign, client.key));
}

export const rowsOf = (...names: readonly string[]): Scalar[][] => names.map((name) => [name]);
