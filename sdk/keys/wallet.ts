import { structs, verifyStruct, signStruct, type Domain, type StructName, type StructValue } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { addressFrom, bytesOf, isHex, type Address, type Signature } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';

type TypedFields = Record<string, { name: string; type: string }[]>;
interface TypedDomain {
  readonly name: string;
  readonly version: string;
  readonly chainId: bigint;
  readonly verifyingContract: string;
}

/** What an ethers wallet or signer offers. */
export interface TypedDataSigner {
  getAddress(): Promise<string> | string;
  signTypedData(domain: TypedDomain, types: TypedFields, value: Record<string, unknown>): Promise<string>;
}

/** A wallet in the browser: any EIP-1193 provider and the account to sign with. */
export interface BrowserWallet {
  readonly address: string;
  request(call: { method: string; params: unknown[] }): Promise<unknown>;
}

/** A private key (hex or 32 bytes), an ethers wallet, or an EIP-1193 provider with its account. */
export type WalletInput = string | Uint8Array | TypedDataSigner | BrowserWallet;

/** Signs the EIP-712 structs of Picolo with one account. */
export interface Wallet {
  readonly address: Address;
  sign<N extends StructName>(domain: Domain, name: N, value: StructValue<N>): Promise<Signature>;
}

/** Throws SDK_BAD_WALLET. */
export async function walletFrom(input: WalletInput): Promise<Wallet> {
  if (typeof input === 'string') return keyWallet(keyBytes(input));
  if (input instanceof Uint8Array) return keyWallet(input);
  // an ethers wallet that holds its key: signing here is ten times faster than through its own encoder
  const held = (input as { privateKey?: unknown }).privateKey;
  if (typeof held === 'string') return keyWallet(keyBytes(held));
  if ('signTypedData' in input) return signerWallet(input);
  if ('request' in input) return browserWallet(input);
  throw sdkFaults.badWallet();
}

function keyBytes(text: string): Uint8Array {
  const hex = (text.startsWith('0x') ? text : `0x${text}`).toLowerCase();
  if (!isHex(hex, 32)) throw sdkFaults.badWallet({ reason: 'a private key has 32 bytes' });
  return bytesOf(hex);
}

function keyWallet(key: Uint8Array): Wallet {
  if (key.length !== 32) throw sdkFaults.badWallet({ reason: 'a private key has 32 bytes' });
  return { address: addressOf(key), sign: async (domain, name, value) => signStruct(domain, name, value, key) };
}

async function signerWallet(signer: TypedDataSigner): Promise<Wallet> {
  const address = addressFrom(await signer.getAddress());
  return {
    address,
    sign: async (domain, name, value) => checked(address, domain, name, value, await signer.signTypedData(typedDomain(domain), typesOf(name), { ...value })),
  };
}

function browserWallet(provider: BrowserWallet): Wallet {
  const address = addressFrom(provider.address);
  return {
    address,
    sign: async (domain, name, value) => {
      const data = { types: { EIP712Domain: domainFields, ...typesOf(name) }, primaryType: name, domain: typedDomain(domain), message: value };
      const text = JSON.stringify(data, (_key, field: unknown) => (typeof field === 'bigint' ? field.toString() : field));
      return checked(address, domain, name, value, String(await provider.request({ method: 'eth_signTypedData_v4', params: [address, text] })));
    },
  };
}

const domainFields = [
  { name: 'name', type: 'string' }, { name: 'version', type: 'string' }, { name: 'chainId', type: 'uint256' }, { name: 'verifyingContract', type: 'address' },
];

function typedDomain(domain: Domain): TypedDomain {
  return { name: 'Picolo', version: '1', ...domain };
}

function typesOf(name: StructName): TypedFields {
  return { [name]: structs[name].map(([field, type]) => ({ name: field, type })) };
}

/** Wallets differ in their v; and a wallet that signed something else must be noticed here, not by the node. */
function checked<N extends StructName>(address: Address, domain: Domain, name: N, value: StructValue<N>, raw: string): Signature {
  const text = raw.toLowerCase();
  if (!isHex(text, 65)) throw sdkFaults.badWallet({ reason: 'the signature is not 65 bytes' });
  const v = Number.parseInt(text.slice(130), 16);
  const signature = `${text.slice(0, 130)}${(v < 27 ? v + 27 : v).toString(16)}` as Signature;
  if (!verifyStruct(domain, name, value, signature, address)) throw sdkFaults.badWallet({ reason: 'the wallet signed something else', address });
  return signature;
}
