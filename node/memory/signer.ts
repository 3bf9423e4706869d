import { digestOf, signStruct, type Domain } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { defineFaults, invariant } from '../../protocol/errors/index.ts';
import type { Digest, Signature } from '../../protocol/types/index.ts';
import { GUARDED_KINDS, isBelow, newestOf, parseSlot, raises, type Signer } from '../ports/index.ts';

const faults = defineFaults('SIGNER', {
  wouldContradict: ['this slot already holds another signature', 'nothing: the second statement would be slashable'],
  belowWatermark: ['this slot is older than what the guard remembers', 'nothing: what was signed there is forgotten and stays closed'],
  needsPosition: ['statements of this kind can contradict each other', 'sign them with their position (signAt)'],
});

interface Entry {
  readonly digest: Digest;
  readonly signature: Signature;
}

/** The guard without the disk: for tests, where a "crash" is dropping the object with its key. */
export function createMemorySigner(key: Uint8Array, domain: Domain): Signer {
  const slots = new Map<string, Entry>();
  const watermarks = new Map<string, readonly string[]>();
  const checkOpen = (kind: string, slot: string): void => {
    const { scope, positions } = parseSlot(slot);
    const watermark = watermarks.get(`${kind}|${scope}`);
    if (watermark !== undefined && isBelow(positions, watermark)) throw faults.belowWatermark({ kind, slot });
  };
  return {
    domain,
    torn: false,
    address: addressOf(key),
    async signAt(position, name, value) {
      invariant(position.kind === name, 'signed-kind-is-slot-kind', { kind: position.kind, name });
      const digest = digestOf(domain, name, value);
      const slot = `${position.kind}|${position.slot}`;
      const known = slots.get(slot);
      if (known === undefined) {
        checkOpen(position.kind, position.slot);
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
    newest: (kind, prefix) => newestOf([...slots.keys()].flatMap((slot) => (slot.startsWith(`${kind}|`) ? [slot.slice(kind.length + 1)] : [])), prefix),
    async forget(kind, below) {
      const { scope, positions } = parseSlot(below);
      const current = watermarks.get(`${kind}|${scope}`);
      if (current !== undefined && !raises(current, positions)) return;
      watermarks.set(`${kind}|${scope}`, positions);
      for (const slot of slots.keys()) {
        const [slotKind, name] = [slot.slice(0, slot.indexOf('|')), slot.slice(slot.indexOf('|') + 1)];
        const parsed = parseSlot(name);
        if (slotKind === kind && parsed.scope === scope && isBelow(parsed.positions, positions)) slots.delete(slot);
      }
    },
    close: async () => undefined,
  };
}
