import { digestOf, signStruct, type Domain } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { defineFaults, invariant } from '../../protocol/errors/index.ts';
import type { Digest, Signature } from '../../protocol/types/index.ts';
import { GUARDED_KINDS, type Signer } from '../ports/index.ts';

const faults = defineFaults('SIGNER', {
  wouldContradict: ['this slot already holds another signature', 'nothing: the second statement would be slashable'],
  needsPosition: ['statements of this kind can contradict each other', 'sign them with their position (signAt)'],
});

/** The guard without the disk: for tests, where a "crash" is dropping the object with its key. */
export function createMemorySigner(key: Uint8Array, domain: Domain): Signer {
  const slots = new Map<string, { readonly digest: Digest; readonly signature: Signature }>();
  const address = addressOf(key);
  return {
    address, domain,
    async signAt(position, name, value) {
      invariant(position.kind === name, 'signed-kind-is-slot-kind', { kind: position.kind, name });
      const digest = digestOf(domain, name, value);
      const slot = `${position.kind}|${position.slot}`;
      const known = slots.get(slot);
      if (known === undefined) {
        const signature = signStruct(domain, name, value, key);
        slots.set(slot, { digest, signature });
        return signature;
      }
      if (known.digest !== digest) throw faults.wouldContradict({ kind: position.kind, slot: position.slot });
      return known.signature;
    },
    sign(name, value) {
      if (GUARDED_KINDS.has(name)) throw faults.needsPosition({ kind: name });
      return signStruct(domain, name, value, key);
    },
    close: async () => undefined,
  };
}
