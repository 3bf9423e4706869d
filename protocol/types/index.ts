/**
 * The nouns of Picolo. Ids are branded lower-case hex strings: cheap to compare, safe as map keys,
 * readable in logs. Bytes appear only where something is hashed, signed or stored.
 */
export type {
  Address, BlockHash, CertHash, ClusterId, DatabaseId, Digest, EntryId, GroupId, Hash32, Hex, Path,
  Signature, Timestamp, TxId,
} from './ids.ts';
export type { Command, Item, ItemMode, KeyVersion, Stage } from './command.ts';
export type { Epoch, GroupRef, Height, ReplicaIndex, Rank, Round, View } from './positions.ts';
export { Remembered } from './remembered.ts';
export { regionCode, regionMask, regions, type Region } from './region.ts';
export { compareRank, quorumOf, maxFaulty } from './positions.ts';
export { ZERO_ADDRESS, ZERO_HASH } from './ids.ts';
export {
  addressFrom, bytesOf, compareHex, concatBytes, equalBytes, hash32From, hexOf, isHex, signatureFrom, uintBytes, wordOf,
} from './bytes.ts';
