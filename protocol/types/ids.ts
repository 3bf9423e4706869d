declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** `0x` and lower-case hex digits, an even number of them. */
export type Hex = `0x${string}`;
/** 32 bytes. */
export type Hash32 = Brand<Hex, 'Hash32'>;
/** EIP-712 digest: what a signature is over. */
export type Digest = Hash32;
/** SHA-256 of a database's metadata: the name of its capsule (DCS §2.2). */
export type DatabaseId = Hash32;
export type ClusterId = Hash32;
export type GroupId = Hash32;
/** EIP-712 struct hash of a client's `Transaction`. */
export type TxId = Hash32;
/** SHA-256 over transaction, timestamp and footprint; also the *version* of every key it writes. */
export type EntryId = Hash32;
/** 256-bit place of a key in the state tree; the same name serves locking (architecture §3). */
export type Path = Hash32;
export type BlockHash = Hash32;
export type CertHash = Hash32;
/** 20 bytes, lower case (no checksum case). */
export type Address = Brand<Hex, 'Address'>;
/** 65 bytes r ‖ s ‖ v, low s, v in {27, 28}. */
export type Signature = Brand<Hex, 'Signature'>;
/** Hybrid time, uint96: 48-bit milliseconds ‖ 16-bit logical ‖ 32-bit gateway (see `hlc`). */
export type Timestamp = Brand<bigint, 'Timestamp'>;

export const ZERO_HASH = `0x${'00'.repeat(32)}` as Hash32;
export const ZERO_ADDRESS = `0x${'00'.repeat(20)}` as Address;
