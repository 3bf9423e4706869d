import { keccak256 } from '../crypto/index.ts';
import { addressFrom, bytesOf, concatBytes, hexOf, wordOf, type Address, type Hash32, type Hex } from '../types/index.ts';
import { evidenceFaults } from './faults.ts';
import { layouts, type Flat } from './flat.ts';
import { flatten } from './flatten.ts';
import { Reader, type Field } from './layout.ts';
import { isLesser, slasherOf, type Evidence, type OffenceName, type SlasherName } from './types.ts';

/** A call of a slasher, ready for a transaction. */
export interface EncodedEvidence {
  readonly offence: OffenceName;
  /** The contract to call. */
  readonly slasher: SlasherName;
  readonly call: Hex;
}

const names = Object.keys(layouts) as OffenceName[];
const namesBeneficiary = (offence: OffenceName): boolean => !isLesser(offence);
const utf8 = new TextEncoder();
const selectors = new Map<OffenceName, Uint8Array>();

/**
 * The contract call that reports this evidence. Checks form, not truth: `judge` says what the contract will.
 * @throws EVIDENCE_INCONSISTENT, EVIDENCE_NOT_PACKABLE, EVIDENCE_BAD_SIGNATURE
 */
export function encodeEvidence(evidence: Evidence): EncodedEvidence {
  const flat = flatten(evidence);
  return { offence: flat.kind, slasher: slasherOf[flat.kind], call: hexOf(encodeCall(flat.kind, packFlat(flat), flat.beneficiary)) };
}

/**
 * What `commit` takes before a report of a grave offence: keccak(evidence ‖ beneficiary).
 * @throws as `encodeEvidence`
 */
export function commitmentOf(evidence: Evidence & { readonly beneficiary: Address }): Hash32 {
  return hexOf(keccak256(concatBytes(packFlat(flatten(evidence)), bytesOf(evidence.beneficiary)))) as Hash32;
}

/** The packed bytes alone. */
export function packFlat(flat: Flat): Uint8Array {
  const out: Uint8Array[] = [];
  (layouts[flat.kind] as Field<Flat>).write(flat, out);
  return concatBytes(...out);
}

/**
 * What a call says, as the contract reads it. Inverse of `encodeEvidence` on the level of `Flat`.
 * @throws EVIDENCE_MALFORMED
 */
export function decodeCall(call: Hex): Flat {
  const data = bytesOf(call);
  const offence = names.find((name) => hexOf(selectorOf(name)) === hexOf(data.subarray(0, 4)));
  if (offence === undefined) throw evidenceFaults.malformed({ selector: hexOf(data.subarray(0, 4)) });
  const args = data.subarray(4);
  const offset = lengthAt(args, 0);
  const length = lengthAt(args, offset);
  if (offset + 32 + length > args.length) throw evidenceFaults.malformed({ offset, length });
  const from = new Reader(args.subarray(offset + 32, offset + 32 + length));
  const body = (layouts[offence] as Field<object>).read(from);
  from.finish();
  const beneficiary = namesBeneficiary(offence) ? addressAt(args, 32) : null;
  return { kind: offence, beneficiary, ...body } as Flat;
}

function addressAt(args: Uint8Array, at: number): Address {
  if (args.subarray(at, at + 12).some((byte) => byte !== 0)) throw evidenceFaults.malformed({ at });
  return addressFrom(hexOf(args.subarray(at + 12, at + 32)));
}

/** ABI: (bytes) or (bytes, address). */
function encodeCall(offence: OffenceName, evidence: Uint8Array, beneficiary: Address | null): Uint8Array {
  const padding = new Uint8Array((32 - (evidence.length % 32)) % 32);
  const tail = [wordOf(evidence.length), evidence, padding];
  if (beneficiary === null) return concatBytes(selectorOf(offence), wordOf(32), ...tail);
  return concatBytes(selectorOf(offence), wordOf(64), wordOf(BigInt(beneficiary)), ...tail);
}

function selectorOf(offence: OffenceName): Uint8Array {
  let selector = selectors.get(offence);
  if (selector === undefined) {
    selector = keccak256(utf8.encode(`report${offence}(bytes${namesBeneficiary(offence) ? ',address' : ''})`)).subarray(0, 4);
    selectors.set(offence, selector);
  }
  return selector;
}

function lengthAt(args: Uint8Array, at: number): number {
  const word = args.subarray(at, at + 32);
  const value = word.length === 32 ? BigInt(hexOf(word)) : -1n;
  if (value < 0n || value > 0xffffffn) throw evidenceFaults.malformed({ at });
  return Number(value);
}
