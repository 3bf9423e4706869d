/**
 * Canonical bytes (architecture §3): CBOR arrays for bodies that no contract reads, EIP-712 structs
 * for everything that can end up before one. Decoding is strict: one value has one encoding.
 *
 * @example
 *   const pointC = record({ x: u32, y: u32 });
 *   decode(pointC, encode(pointC, { x: 1, y: 2 }));
 */
export { askedByPath, askedByRank } from './asked.ts';
export { codecFaults } from './codec-faults.ts';
export { decode, encode, type Codec, type Decoded } from './codec.ts';
export {
  address, bool, bytes, choice, hash32, hexBytes, list, nullable, record, signature, signedInteger, text, timestamp, tuple, u256, u32, u64, union, scalar, type Scalar,
} from './shapes.ts';
export { digestOf, domainSeparator, signStruct, structHash, typeHash, typeString, verifyStruct, type Domain, type StructValue } from './eip712.ts';
export { structs, type StructName, type Structs } from './structs.ts';
