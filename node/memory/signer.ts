import { digestOf, signStruct, type Domain } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { defineFaults } from '../../protocol/errors/index.ts';
import type { Digest, Signature } from '../../protocol/types/index.ts';
import type { Signer } from '../ports/index.ts';

const faults = defineFaults('SIGNER', {
  wouldContradict: ['this slot already holds another signature', 'nothing: the second statement would be slashable'],
});

/** The guard without the disk: for tests, where a "crash" is dropping the object with its key. */
export function createMemorySigner(key: Uint8Array, domain: Domain): Signer {
  const slots = new Map<string, { readonly digest: Digest; readonly signature: Signature }>();
  const address = addressOf(key);
  return {
    address, domain,
    async signAt(position, name, value) {
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
    sign: (name, value) => signStruct(domain, name, value, key),
    close: async () => undefined,
  };
}
