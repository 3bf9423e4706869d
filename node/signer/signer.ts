import { digestOf, signStruct, type Domain, type StructName, type StructValue } from '../../protocol/codec/index.ts';
import { addressOf, signDigest } from '../../protocol/crypto/index.ts';
import { invariant } from '../../protocol/errors/index.ts';
import type { Address, Signature } from '../../protocol/types/index.ts';
import { GUARDED_KINDS, type Signer, type SignPosition } from '../ports/index.ts';
import { signerFaults } from './faults.ts';
import type { Guard } from './guard.ts';

export interface GuardedSigner extends Signer {
  /** Slots remembered. */
  readonly slots: number;
}

export function guardedSigner(guard: Guard, key: Uint8Array, domain: Domain, torn: boolean): GuardedSigner {
  return new FileSigner(guard, key, domain, torn);
}

class FileSigner implements GuardedSigner {
  readonly address: Address;
  readonly domain: Domain;
  readonly torn: boolean;
  readonly #key: Uint8Array; // private field: not seen by inspection, logs or JSON
  private readonly guard: Guard;

  constructor(guard: Guard, key: Uint8Array, domain: Domain, torn: boolean) {
    this.guard = guard;
    this.#key = Uint8Array.from(key);
    this.address = addressOf(key);
    this.domain = domain;
    this.torn = torn;
  }

  get slots(): number {
    return this.guard.size;
  }

  async signAt<N extends StructName>(position: SignPosition, name: N, value: StructValue<N>): Promise<Signature> {
    invariant(position.kind === name, 'signed-kind-is-slot-kind', { kind: position.kind, name });
    const digest = digestOf(this.domain, name, value);
    let signature = this.guard.find(name, position.slot, digest);
    if (signature === undefined) {
      signature = signDigest(digest, this.#key);
      this.guard.claim(name, position.slot, { digest, signature }); // no await between find and claim
    }
    await this.guard.write();
    return signature;
  }

  sign<N extends StructName>(name: N, value: StructValue<N>): Signature {
    if (GUARDED_KINDS.has(name)) throw signerFaults.needsPosition({ kind: name });
    return signStruct(this.domain, name, value, this.#key);
  }

  newest(kind: StructName, prefix: string): readonly string[] | undefined {
    return this.guard.newest(kind, prefix);
  }

  async forget(kind: StructName, below: string): Promise<void> {
    this.guard.forget(kind, below);
    await this.guard.flush();
  }

  async close(): Promise<void> {
    await this.guard.close();
    this.#key.fill(0);
  }
}
