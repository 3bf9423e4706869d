/**
 * The one definition of every EIP-712 struct of Picolo. From it come the TypeScript hashing (in
 * `eip712.ts`) and the Solidity hashing (`contracts/libraries/PicoloHashes.sol`, generated).
 * Domain: {name "Picolo", version "1", chainId, verifyingContract = StakeVault}. All fields are
 * fixed-width words; dynamic bodies enter by their SHA-256. Field names follow consensus §2.3.
 * `issuedAt`, `expiresAt` and `sentAt` are unix seconds: contracts compare them with block time.
 */
export const structs = {
  // what a client signs
  Transaction: [
    ['database', 'bytes32'], ['writer', 'address'], ['nonce', 'uint64'], ['schemaVersion', 'uint32'], ['snapshot', 'uint96'],
    ['notAfter', 'uint96'], ['mutationsRoot', 'bytes32'], ['footprintRoot', 'bytes32'], ['backpointers', 'bytes32'],
  ],
  // one signature for many transactions: root over their ids, in any databases of the network
  TxBatch: [['writer', 'address'], ['root', 'bytes32'], ['count', 'uint32'], ['notAfter', 'uint96']],
  Voucher: [['channel', 'bytes32'], ['cumulative', 'uint128']],
  // fast mode
  FastBatch: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['view', 'uint64'], ['gateway', 'uint32'], ['seq', 'uint64'], ['batchRoot', 'bytes32'],
    ['count', 'uint32'],
  ],
  FastVote: [['group', 'bytes32'], ['epoch', 'uint64'], ['view', 'uint64'], ['batchRoot', 'bytes32'], ['accept', 'uint256']],
  FastAck: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['view', 'uint64'], ['batchRoot', 'bytes32'], ['acked', 'uint256'],
    ['ackSeq', 'uint64'], ['ackHead', 'bytes32'],
  ],
  // classic mode
  Proposal: [['group', 'bytes32'], ['epoch', 'uint64'], ['view', 'uint64'], ['round', 'uint32'], ['blockHash', 'bytes32']],
  BlockVote: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['view', 'uint64'], ['round', 'uint32'], ['blockHash', 'bytes32'],
    ['qcView', 'uint64'], ['qcRound', 'uint32'],
  ],
  ViewChange: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['newView', 'uint64'], ['qcView', 'uint64'], ['qcRound', 'uint32'],
    ['qcBlock', 'bytes32'], ['ackSeq', 'uint64'], ['ackHead', 'bytes32'], ['ackedRoot', 'bytes32'],
  ],
  // `detail` = SHA-256 of closeTs(12) ‖ rowCount(8) ‖ capsuleHead(32) ‖ previous(32) ‖ configHash(32)
  Checkpoint: [['group', 'bytes32'], ['epoch', 'uint64'], ['height', 'uint64'], ['stateRoot', 'bytes32'], ['detail', 'bytes32']],
  // answers: rowHash is zero when the path is absent
  Answer: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['height', 'uint64'], ['minHeight', 'uint64'], ['seq', 'uint64'],
    ['stateRoot', 'bytes32'], ['path', 'bytes32'], ['rowHash', 'bytes32'], ['request', 'bytes32'], ['querier', 'address'],
    ['issuedAt', 'uint64'],
  ],
  // a row together with the writer's signature that the node claims for it (signatureHash = keccak of its packed form, DATA-46)
  RowAnswer: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['seq', 'uint64'], ['path', 'bytes32'], ['rowHash', 'bytes32'],
    ['transaction', 'bytes32'], ['writer', 'address'], ['signatureHash', 'bytes32'], ['querier', 'address'], ['issuedAt', 'uint64'],
  ],
  // result of general SQL at a snapshot; resultHash = SHA-256 of the canonical rows
  Statement: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['height', 'uint64'], ['snapshot', 'uint96'], ['queryHash', 'bytes32'],
    ['resultHash', 'bytes32'], ['querier', 'address'], ['seq', 'uint64'], ['issuedAt', 'uint64'],
  ],
  // result of a registered statement for one request of a contract (oracle); `args` and `resultHash` are SHA-256 of canonical CBOR,
  // `payee` is who gets the request's fee
  OracleResult: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['request', 'bytes32'], ['statement', 'bytes32'], ['args', 'bytes32'],
    ['snapshot', 'uint96'], ['resultHash', 'bytes32'], ['payee', 'address'],
  ],
  // the roots of certified checkpoints that a node knows (Vidigueira §4.3.6): listRoot = DATA-6 over height(8) ‖ stateRoot(32), ascending
  RootList: [
    ['group', 'bytes32'], ['epoch', 'uint64'], ['count', 'uint32'], ['listRoot', 'bytes32'], ['request', 'bytes32'],
    ['querier', 'address'], ['issuedAt', 'uint64'],
  ],
  // a provider offers capacity to a cluster (registry)
  Offer: [['cluster', 'bytes32'], ['node', 'address'], ['gib', 'uint32'], ['expiresAt', 'uint64']],
  // a node's key agrees to work for an owner (vault): registration, where node = signer, and rotation
  NodeKey: [['node', 'address'], ['owner', 'address'], ['signer', 'address']],
  // a root vouches for a node (registry): its transport key and the software it was checked with
  NodeCertificate: [
    ['node', 'address'], ['number', 'uint64'], ['transportKeyHash', 'bytes32'], ['softwareHash', 'bytes32'], ['issuedAt', 'uint64'],
    ['expiresAt', 'uint64'],
  ],
  // one side of an authenticated connection: `binding` is exported keying material of the TLS session
  Hello: [['binding', 'bytes32'], ['from', 'address'], ['to', 'address']],
  // what an MX client asks: `transaction` is the hash of the whole request (docs/spec/mx.md)
  MxAsk: [['transaction', 'bytes32'], ['client', 'address'], ['expiresAt', 'uint64']],
  // MX result provenance: who says this row came from them
  MxSend: [['transaction', 'bytes32'], ['from', 'address'], ['resultHash', 'bytes32'], ['sentAt', 'uint64']],
} as const satisfies Record<string, readonly (readonly [string, string])[]>;

export type Structs = typeof structs;
export type StructName = keyof Structs;
