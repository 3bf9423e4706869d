/**
 * Every bound of the network, by name (docs/LIMITS.md is checked against this file). Units last.
 */
import { invariant } from '../errors/index.ts';

export const limits = Object.freeze({
  // messages
  frameBytes: 4 * 1024 * 1024,
  transactionBytes: 1024 * 1024,
  mutationsPerTransaction: 10_000,
  rowBytes: 256 * 1024,
  keyBytes: 1024,
  scalarsPerRow: 16_384,
  tableIdsCached: 4096,
  itemsPerTransaction: 16_384,
  backpointersPerTransaction: 64,
  transactionsPerSignature: 64,
  batchSignaturesRemembered: 10_000,
  textBytes: 128 * 1024,
  // consensus
  replicasPerGroup: 64,
  entriesPerBatch: 250,
  entriesPerBlock: 1000,
  blockBytes: 512 * 1024,
  batchesInFlight: 8,
  pendingCommands: 20_000,
  ackedUnswept: 20_000,
  ackedBytes: 1024 * 1024,
  batchesRemembered: 50_000,
  blocksPerFetch: 64,
  statementsRemembered: 50_000,
  rememberedCommandBytes: 32 * 1024 * 1024,
  signaturesRemembered: 50_000,
  headersPerReceipt: 1024,
  participantsPerPlan: 8,
  planMs: 30_000,
  /** How long after its deadline a plan can still be aborted, and a decision to commit is kept. */
  decisionMs: 7 * 24 * 60 * 60 * 1000,
  /** How long a nonce stands after the expiry of its transaction, so that a writer that was cut off can still see what became of it. */
  nonceGraceMs: 60_000,
  plansRemembered: 10_000,
  proofsCarried: 64,
  // questions between nodes
  peerRequestsOpen: 256,
  peerRequestsServed: 64,
  // clocks
  clockAheadMs: 250,
  clockOffsetMs: 500,
  // schema
  tablesPerDatabase: 256,
  columnsPerTable: 256,
  indexesPerTable: 16,
  identifierBytes: 63,
  foreignKeysPerTable: 32,
  /** Child counters per referenced key: more buckets, fewer conflicts between writers of one parent's children. */
  referenceBuckets: 16,
  writersPerDatabase: 1000,
  descriptionBytes: 1024,
  // storage
  journalRecordBytes: 8 * 1024 * 1024,
  journalQueuedBytes: 64 * 1024 * 1024,
  journalSlackBytes: 4 * 1024 * 1024,
  snapshotChunkBytes: 1024 * 1024,
  stateRootsKept: 8,
  /** Older roots kept because a member fetches their snapshot: how many, for how many checkpoints after its last question, and in total. */
  snapshotLeases: 2,
  snapshotLeaseCheckpoints: 60,
  snapshotLeaseMostCheckpoints: 1_200,
  openRootsKept: 64,
  versionsCached: 100_000,
  schemasCached: 1_000,
  mutationTreesBytes: 16 * 1024 * 1024,
  /** How far back AS OF and catch-up by replay reach. */
  historyMs: 24 * 60 * 60 * 1000,
  // SQL
  sqlBytes: 64 * 1024,
  queryMs: 5_000,
  queryRows: 10_000,
  queryBytes: 4 * 1024 * 1024,
  queryMemoryBytes: 512 * 1024 * 1024,
  queriesWaiting: 256,
  queryParameters: 999,
  expressionDepth: 200,
  compoundSelects: 50,
  sqlWorkers: 2,
  // proofs
  proofSteps: 256,
  rangeRows: 5_000,
  // MX
  mxHops: 16,
  mxResults: 10_000,
  mxOpenTransactions: 1_000,
  mxOpenPerPeer: 64,
  mxSeen: 100_000,
  mxAskLifeMs: 60_000,
  mxFollowLifeMs: 600_000,
  mxQueryBytes: 64 * 1024,
  mxPartBytes: 256 * 1024,
  mxSendBytes: 3 * 1024 * 1024,
  mxHeldBytes: 64 * 1024 * 1024,
  mxReceipts: 256,
  mxNodesListed: 64,
  mxNeighbours: 64,
  mxKnownNodes: 256,
  mxConnections: 512,
  mxMessagesPerSecond: 500,
  mxBufferedBytes: 8 * 1024 * 1024,
  // dictionary
  dictionaryEntities: 256,
  keywordsPerName: 16,
  keywordBytes: 63,
  queryConditions: 32,
  // oracle: what a contract reads at once, and the call data it can pay for
  oracleRows: 64,
  oracleResultBytes: 4_096,
  oracleQuestionBytes: 129,
  oracleAnswerBytes: 256 * 1024,
  // market
  marketNoteBytes: 1_024,
  // access levels
  accessPeers: 10_000,
  // network: one direct lane per peer
  peers: 1024,
  connections: 2048,
  peerQueueBytes: 32 * 1024 * 1024,
  coalesceBytes: 16 * 1024,
  // signer: slots that the guard remembers above its watermarks
  guardSlots: 500_000,
  guardSlotBytes: 512,
  // Proof-of-Query: one challenge per pair and interval, asked again before silence counts
  poqAttempts: 3,
  poqAnswerMs: 5_000,
  // API
  pathsPerRead: 256,
  rootsPerList: 256,
  pathsPerVersions: 20_000,
  databasesPerStatus: 1_000,
  groupsPerNode: 1_000,
  freshnessWaitMs: 5_000,
  freshnessWaiting: 10_000,
  apiRequestMs: 30_000,
  answerBytes: 64 * 1024 * 1024,
  requestBytes: 2 * 1024 * 1024,
  requestsPerMinute: 60_000,
});

export type Limits = typeof limits;

invariant(limits.entriesPerBatch <= 256, 'batch-fits-vote-bitmap');
invariant(limits.transactionBytes < limits.frameBytes, 'transaction-fits-frame');
invariant(limits.blockBytes < limits.frameBytes, 'block-fits-frame');
invariant(3 * limits.ackedBytes < limits.frameBytes, 'opening-of-four-fits-frame');
invariant(limits.frameBytes < limits.journalRecordBytes, 'frame-fits-journal-record');
invariant(limits.rowBytes < limits.transactionBytes, 'row-fits-transaction');
invariant(limits.mxSendBytes + limits.mxReceipts * 256 < limits.frameBytes, 'mx-send-fits-frame');
invariant(limits.transactionBytes < limits.mxSendBytes, 'mx-put-fits-frame');
invariant(limits.frameBytes < limits.peerQueueBytes, 'frame-fits-peer-queue');
