import { keccak256, recoverSigner, signDigest } from '../crypto/index.ts';
import { bytesOf, hexOf, type Address, type Digest, type Hash32, type Hex, type Signature } from '../types/index.ts';
import { structs, type StructName, type Structs } from './structs.ts';

/** The network a signature is for: chain id and the stake vault's address (contracts rule 5). */
export interface Domain {
  readonly chainId: bigint;
  readonly verifyingContract: Address;
}

type FieldValue<T extends string> = T extends 'bytes32' ? Hash32 : T extends 'address' ? Address : T extends 'uint32' ? number : bigint;
/** The value of a struct: uint32 as number, wider integers as bigint. */
export type StructValue<N extends StructName> = {
  readonly [F in Structs[N][number] as F[0]]: FieldValue<F[1]>;
};

const utf8 = new TextEncoder();
const typeHashes = new Map<StructName, Uint8Array>();
const domains = new Map<string, Uint8Array>();

/** `Name(type field,…)`, the preimage of the type hash. */
export function typeString(name: StructName): string {
  return `${name}(${structs[name].map(([field, type]) => `${type} ${field}`).join(',')})`;
}

export function typeHash(name: StructName): Uint8Array {
  let hash = typeHashes.get(name);
  if (hash === undefined) {
    hash = keccak256(utf8.encode(typeString(name)));
    typeHashes.set(name, hash);
  }
  return hash;
}

/** Hand-packed: one buffer, one keccak; tested against ethers' encoder. */
export function structHash<N extends StructName>(name: N, value: StructValue<N>): Hash32 {
  return hexOf(packedHash(name, value)) as Hash32;
}

export function domainSeparator(domain: Domain): Uint8Array {
  const key = `${domain.chainId}:${domain.verifyingContract}`;
  let separator = domains.get(key);
  if (separator === undefined) {
    const words = new Uint8Array(160);
    words.set(keccak256(utf8.encode('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)')), 0);
    words.set(keccak256(utf8.encode('Picolo')), 32);
    words.set(keccak256(utf8.encode('1')), 64);
    writeUint(words, 96, domain.chainId);
    words.set(bytesOf(domain.verifyingContract), 140);
    separator = keccak256(words);
    if (domains.size > 64) domains.clear(); // tests make many domains; a process has one
    domains.set(key, separator);
  }
  return separator;
}

/** What is signed: keccak(0x1901 ‖ domain ‖ struct). */
export function digestOf<N extends StructName>(domain: Domain, name: N, value: StructValue<N>): Digest {
  const input = new Uint8Array(66);
  input[0] = 0x19;
  input[1] = 0x01;
  input.set(domainSeparator(domain), 2);
  input.set(packedHash(name, value), 34);
  return hexOf(keccak256(input)) as Digest;
}

export function signStruct<N extends StructName>(domain: Domain, name: N, value: StructValue<N>, privateKey: Uint8Array): Signature {
  return signDigest(digestOf(domain, name, value), privateKey);
}

/** True when `signer` signed exactly this value under this domain. */
export function verifyStruct<N extends StructName>(
  domain: Domain, name: N, value: StructValue<N>, signature: Signature, signer: Address,
): boolean {
  return recoverSigner(digestOf(domain, name, value), signature) === signer;
}

function packedHash<N extends StructName>(name: N, value: StructValue<N>): Uint8Array {
  const fields = structs[name] as readonly (readonly [string, string])[];
  const words = new Uint8Array(32 * (fields.length + 1));
  words.set(typeHash(name), 0);
  fields.forEach(([field, type], i) => {
    const at = 32 * (i + 1);
    const raw = (value as Record<string, Hex | bigint | number>)[field];
    if (type === 'bytes32') words.set(bytesOf(raw as Hex), at);
    else if (type === 'address') words.set(bytesOf(raw as Hex), at + 12);
    else writeUint(words, at, raw as bigint | number);
  });
  return keccak256(words);
}

function writeUint(words: Uint8Array, at: number, value: bigint | number): void {
  if (typeof value === 'number' && value <= 0xffffffff) {
    new DataView(words.buffer).setUint32(at + 28, value);
    return;
  }
  let rest = BigInt(value);
  for (let i = at + 31; rest > 0n; i--) {
    words[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
}
