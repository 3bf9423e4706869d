import { installCrypto, pureCrypto, type CryptoBackend } from '../../protocol/crypto/index.ts';
import { isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
import { equalBytes } from '../../protocol/types/index.ts';
import { cryptoFaults } from './faults.ts';
import { loadNativeCrypto } from './native.ts';

/**
 * Makes the native backend the process's backend after a self-test against the pure one. Without a
 * prebuilt addon the pure backend stays and `onFallback` is told why: slower, never different.
 * Throws CRYPTO_SELF_TEST_FAILED when the libraries disagree.
 * @returns the name of the backend in use
 */
export async function installNativeCrypto(onFallback: (reason: PicoloError) => void = warn): Promise<string> {
  let native: CryptoBackend;
  try {
    native = await loadNativeCrypto();
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    onFallback(error);
    return pureCrypto.name;
  }
  selfTest(native);
  installCrypto(native);
  return native.name;
}

/** One known input through every function: a wrong library stops the node before it signs. */
function selfTest(native: CryptoBackend): void {
  const block = Uint8Array.from({ length: 64 }, (_, i) => i + 1);
  const digest = block.subarray(0, 32);
  const key = block.subarray(32);
  const run = (b: CryptoBackend): Uint8Array[] => {
    const pair = new Uint8Array(32);
    b.hashPairs(block, pair);
    const { compact, recovery } = b.sign(digest, key);
    return [b.sha256(block), Buffer.from(b.sha256Hex(block), 'hex'), pair, b.keccak256(block), compact, b.recover(digest, compact, recovery) ?? pair, b.publicKey(key)];
  };
  const reference = run(pureCrypto);
  const same = run(native).every((bytes, i) => equalBytes(bytes, reference[i] as Uint8Array));
  if (!same) throw cryptoFaults.selfTestFailed({ backend: native.name });
}

function warn(reason: PicoloError): void {
  process.emitWarning(reason.message, { code: reason.code });
}
