/** What a crypto library must offer. All functions are synchronous and total on well-sized input. */
export interface CryptoBackend {
  readonly name: string;
  sha256(data: Uint8Array): Uint8Array;
  /** The same as lower-case hex digits, without prefix: what most callers want, and cheaper to get at once. */
  sha256Hex(data: Uint8Array): string;
  /** Hashes `input.length / 64` blocks of 64 bytes into 32-byte digests written to `output`. */
  hashPairs(input: Uint8Array, output: Uint8Array): void;
  keccak256(data: Uint8Array): Uint8Array;
  /** 64-byte compact r ‖ s (low s) and the recovery bit. */
  sign(digest: Uint8Array, privateKey: Uint8Array): { readonly compact: Uint8Array; readonly recovery: number };
  /** 64-byte uncompressed public key (without the 0x04 prefix), or undefined when there is none. */
  recover(digest: Uint8Array, compact: Uint8Array, recovery: number): Uint8Array | undefined;
  /** 64-byte uncompressed public key of a private key. */
  publicKey(privateKey: Uint8Array): Uint8Array;
}
