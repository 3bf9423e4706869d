import { randomBytes } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { decryptKeystoreJson, encryptKeystoreJson } from 'ethers';
import { addressOf } from '../../protocol/crypto/index.ts';
import { bytesOf, hexOf, type Address, type Hex } from '../../protocol/types/index.ts';
import { signerFaults } from './faults.ts';

export interface KeystoreOptions {
  readonly path: string;
  readonly password: string;
}

/**
 * Writes a Web3 Secret Storage v3 file that only its owner may read, never over an existing one.
 * @param key 32 bytes; a random one when left out
 * @param scryptN cost of a guess; lower it in tests only
 */
export async function createKeystore(
  options: KeystoreOptions & { readonly key?: Uint8Array; readonly scryptN?: number },
): Promise<Address> {
  const key = options.key ?? randomKey();
  const address = addressOf(key);
  const scrypt = { scrypt: { N: options.scryptN ?? 1 << 17 } };
  const json = await encryptKeystoreJson({ address, privateKey: hexOf(key) }, options.password, scrypt);
  const file = await open(options.path, 'wx', 0o600).catch((error: unknown) => {
    throw signerFaults.badKeystore({ path: options.path, reason: 'cannot be created, or exists already' }, error);
  });
  await file.writeFile(json);
  await file.sync();
  await file.close();
  return address;
}

/** The private key of a keystore file. Throws SIGNER_BAD_KEYSTORE. */
export async function loadKeystore(options: KeystoreOptions): Promise<Uint8Array> {
  try {
    const { privateKey } = await decryptKeystoreJson(await readFile(options.path, 'utf8'), options.password);
    return bytesOf(privateKey.toLowerCase() as Hex);
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(' (')[0] : 'unknown';
    throw signerFaults.badKeystore({ path: options.path, reason });
  }
}

/** Password from a file (without its last line break) or an environment variable. Throws SIGNER_NO_PASSWORD. */
export async function readPassword(source: { readonly file?: string | undefined; readonly variable?: string }): Promise<string> {
  const { file, variable = 'PICOLO_PASSWORD' } = source;
  if (file !== undefined) {
    const content = await readFile(file, 'utf8').catch((error: unknown) => {
      throw signerFaults.noPassword({ file }, error);
    });
    return content.replace(/\r?\n$/, '');
  }
  const value = process.env[variable];
  if (value === undefined || value === '') throw signerFaults.noPassword({ variable });
  return value;
}

/** A uniformly random valid private key. */
export function randomKey(): Uint8Array {
  for (;;) {
    const key = new Uint8Array(randomBytes(32));
    try {
      addressOf(key);
      return key;
    } catch {
      // zero or above the group order: about once in 2^128 draws
    }
  }
}
