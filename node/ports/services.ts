import type {
  CarryAnswer, CarryRequest, CertifiedCheckpoint, Health, LookupAnswer, LookupRequest, MeterAnswer, NodeStatus, OfferRequest, PoqRequest, PrepareAnswer, PrepareRequest,
  QueryRequest, RangeAnswer, RangeRequest, ReadAnswer, ReadRequest, ResultAnswer, ResultRequest, RootsAnswer, RootsRequest, SchemaAnswer, SchemaRequest,
  SignedOffer, SignedVoucher, StatementAnswer, SubmitAnswer, VersionsAnswer, VersionsRequest,
} from '../../protocol/query/index.ts';
import type { SignedTransaction } from '../../protocol/rows/index.ts';
import type { ClusterId, GroupId, Height } from '../../protocol/types/index.ts';

/**
 * What a node does for clients: `node/api` serves it, `node/main` composes it. Every method either
 * answers or throws a `PicoloError`; faults made for clients are `apiFaults` of protocol/query (their
 * HTTP status is `httpStatusOf`). Any other error is logged and answered as API_INTERNAL.
 *
 * Waiting: a request with `minTimestamp`/`minHeight` waits a bounded time (limits.freshnessWaitMs) and
 * then throws API_NOT_YET. Signing: every answer is signed with the node's hot key for `request.querier`.
 */
export interface NodeServices {
  status(): NodeStatus;
  health(): Health;
  /** Signs an EIP-712 `Offer` of capacity to a cluster, valid for a short time. */
  offer(request: OfferRequest): Promise<SignedOffer>;
  /**
   * Resolves once the transaction is final (applied or aborted). The same transaction may be submitted
   * again, here or elsewhere: it is executed once. API_BAD_TRANSACTION, API_NOT_FINAL, PAYMENT_REQUIRED.
   * @param group the group a new database is created in; ignored for existing databases
   */
  submit(transaction: SignedTransaction, group: GroupId | undefined): Promise<SubmitAnswer>;
  /** Prepares a part of a transaction over several groups. API_BAD_TRANSACTION, API_NOT_FINAL, PAYMENT_REQUIRED. */
  prepare(request: PrepareRequest): Promise<PrepareAnswer>;
  /** Takes a proof of another group; answers with the decision about its plan, if it is known. */
  carry(request: CarryRequest): CarryAnswer;
  /** Rows or absences at the newest certified checkpoint that satisfies the request. `keys` are already turned into `paths`. */
  read(request: ReadRequest): Promise<ReadAnswer>;
  /** Leaves of a path range at a certified checkpoint, with the proof that none was left out. */
  range(request: RangeRequest): Promise<RangeAnswer>;
  /** One SELECT at a snapshot (`asOf`, or the newest closed timestamp), signed. SQL_*. */
  query(request: QueryRequest): Promise<StatementAnswer>;
  /** Newest certified checkpoint. API_UNKNOWN_GROUP, API_NO_CHECKPOINT. */
  checkpoint(group: GroupId): CertifiedCheckpoint;
  /** A certified checkpoint of the current epoch that this node saw. API_UNKNOWN_GROUP, API_HISTORY_GONE. */
  certificate(group: GroupId, height: Height): CertifiedCheckpoint;
  /** Signs the roots that this node knows to be certified, for audits (Vidigueira §4.3.6). API_UNKNOWN_GROUP, API_NO_CHECKPOINT. */
  roots(request: RootsRequest): RootsAnswer;
  /** Home of a database and its proven `_schema` and `_database` rows. */
  schema(request: SchemaRequest): Promise<SchemaAnswer>;
  /** Current versions, fast-final ones included; unsigned hints. */
  versions(request: VersionsRequest): Promise<VersionsAnswer>;
  /** Answers a challenge from storage, provenance included: ranks first, then paths, in the order asked. */
  poq(request: PoqRequest): Promise<ReadAnswer>;
  /** Answers a contract's question with proofs (ERC-3668). ORACLE_*. */
  lookup(request: LookupRequest): Promise<LookupAnswer>;
  /** Runs a statement for a request on chain and signs the result for it. SQL_*, ORACLE_TOO_LONG. */
  result(request: ResultRequest): Promise<ResultAnswer>;
  /** Takes a payment voucher; answers the account afterwards. PAYMENT_* (protocol/metering). */
  voucher(voucher: SignedVoucher): Promise<MeterAnswer>;
  meter(cluster: ClusterId): MeterAnswer;
}
