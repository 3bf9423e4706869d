// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IPicoloConsumer, IQueryOracle} from "./interfaces/IQueryOracle.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Certified} from "./libraries/Certified.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Packed} from "./libraries/Packed.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";

/**
 * @title General SQL for contracts, with a callback (Picolo Appendix A; oracle §4)
 * @notice A contract requests the result of a statement that its group knows by hash; N - f replicas of the group sign one result for
 * this very request; whoever brings it first is paid, and the contract is called back. What is believed is that quorum:
 * there is no proof of a join or an average, only signatures of staked nodes.
 *
 * @dev The signed result names its payee, so a copied transaction pays the same account. The callback cannot block payment: its gas is
 * capped, its failure is an event. Invariant: fees of open requests and owed ether are covered by the balance.
 */
contract QueryOracle is IQueryOracle, Payouts {
    /// @notice Longest life of a request, in seconds.
    uint256 public constant MAX_LIFE = 30 days;
    /// @notice Most gas for a callback.
    uint256 public constant MAX_CALLBACK_GAS = 2_000_000;
    /// @notice Most bytes of parameters.
    uint256 public constant MAX_ARGS = 1024;
    /// @notice Most bytes of a result.
    uint256 public constant MAX_RESULT = 4096;
    /// @dev What is left to do after the callback: the event of a failure and the payment.
    uint256 private constant AFTER_CALLBACK = 100_000;

    /// @notice The vault, whose address is the signature domain.
    IStakeVault public immutable VAULT;
    /// @notice The registry of rosters.
    IClusterRegistry public immutable CLUSTERS;

    /// @notice Whether a statement was registered for a group.
    mapping(bytes32 group => mapping(bytes32 statement => bool)) public isRegistered;
    /// @notice Where a request stands.
    mapping(bytes32 request => State) public stateOf;

    /**
     * @param vault the stake vault
     * @param clusters the cluster registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters) {
        (VAULT, CLUSTERS) = (vault, clusters);
    }

    /**
     * @notice Makes a statement known: SHA-256 of [database, sql] in canonical CBOR. The text itself never comes here;
     * whoever serves requests gets it from the one who registers.
     * Effects: requests may name it. Anybody may register, again and again.
     */
    function register(bytes32 group, bytes32 statement) external {
        isRegistered[group][statement] = true;
        emit StatementRegistered(group, statement, msg.sender);
    }

    /**
     * @notice Asks for the result of a statement. The caller is called back, as `IPicoloConsumer`, if it is a contract.
     * Effects: the ether that comes along waits for whoever brings the result.
     * Requirements: the statement is registered; the expiry is ahead and within MAX_LIFE; gas and parameters within bounds; the
     * caller has not made the very same request before (take another salt).
     * @return id of the request
     */
    function request(
        bytes32 salt, bytes32 group, bytes32 statement, bytes calldata args, uint96 minSnapshot, uint40 expiresAt, uint32 callbackGas
    ) external payable returns (bytes32 id) {
        if (!isRegistered[group][statement]) {
            revert UnknownStatement(group, statement);
        }
        if (expiresAt <= block.timestamp || expiresAt > block.timestamp + MAX_LIFE) {
            revert BadExpiry(expiresAt);
        }
        if (callbackGas > MAX_CALLBACK_GAS) {
            revert TooMuchGas(callbackGas);
        }
        if (args.length > MAX_ARGS) {
            revert ArgsTooLong(args.length);
        }
        if (msg.value > type(uint96).max) {
            revert WrongFee(msg.value);
        }
        Request memory fields = Request(
            msg.sender, salt, group, statement, sha256(args), minSnapshot, expiresAt, callbackGas, uint96(msg.value)
        );
        id = requestId(fields);
        if (stateOf[id] != State.None) {
            revert RequestExists(id);
        }
        stateOf[id] = State.Open;
        emit Requested(id, group, statement, fields, args);
    }

    /**
     * @notice Brings the result of a request. Anybody may.
     * Effects: the consumer is called back with at most its gas; the fee goes to `payee`.
     * Requirements: the request is open and not expired; the snapshot is not before the wanted one; a quorum of the group signed
     * OracleResult for this request with this result and payee; enough gas is left for the callback.
     * @param certificate epoch(8) ‖ size(1) ‖ roster ‖ signers(8) ‖ compact signatures
     */
    function fulfil(Request calldata fields, uint96 snapshot, address payee, bytes calldata result, bytes calldata certificate)
        external
        nonReentrant
    {
        bytes32 id = _open(fields);
        if (block.timestamp > fields.expiresAt) {
            revert Expired(fields.expiresAt);
        }
        if (snapshot < fields.minSnapshot) {
            revert StaleSnapshot(snapshot, fields.minSnapshot);
        }
        if (result.length > MAX_RESULT) {
            revert ResultTooLong(result.length);
        }
        _checkSigned(
            PicoloHashes.OracleResult(
                fields.group, Packed.u64(Packed.start(certificate)), id, fields.statement, fields.args, snapshot, sha256(result), payee
            ),
            certificate
        );
        stateOf[id] = State.Fulfilled;
        emit Fulfilled(id, payee, snapshot, result);
        _callBack(fields, id, snapshot, result);
        if (fields.feeWei != 0) {
            _pay(address(0), payee, fields.feeWei);
        }
    }

    /**
     * @notice Takes the fee of an expired request back.
     * Requirements: the caller is the consumer; the request is open and has expired.
     */
    function cancel(Request calldata fields) external nonReentrant {
        bytes32 id = _open(fields);
        if (msg.sender != fields.consumer) {
            revert NotConsumer(msg.sender);
        }
        if (block.timestamp <= fields.expiresAt) {
            revert NotExpired(fields.expiresAt);
        }
        stateOf[id] = State.Cancelled;
        emit Cancelled(id);
        if (fields.feeWei != 0) {
            _pay(address(0), fields.consumer, fields.feeWei);
        }
    }

    /// @notice Name of a request.
    function requestId(Request memory fields) public view returns (bytes32) {
        return keccak256(abi.encode("picolo.request", block.chainid, address(this), fields));
    }

    // ---- inside

    function _open(Request calldata fields) private view returns (bytes32 id) {
        id = requestId(fields);
        if (stateOf[id] != State.Open) {
            revert WrongState(id, stateOf[id]);
        }
    }

    function _checkSigned(PicoloHashes.OracleResult memory signed, bytes calldata certificate) private view {
        bytes32 digest = Eip712.digest(Eip712.separator(address(VAULT)), PicoloHashes.hash(signed));
        uint256 pos = Certified.signed(CLUSTERS, signed.group, signed.epoch, digest, Packed.start(certificate) + 8);
        Packed.finish(certificate, pos);
    }

    /// @dev Returned data is not copied: a consumer cannot make the caller pay for it.
    function _callBack(Request calldata fields, bytes32 id, uint96 snapshot, bytes calldata result) private {
        uint256 needed = uint256(fields.callbackGas) * 64 / 63 + AFTER_CALLBACK;
        if (gasleft() < needed) {
            revert GasTooLow(gasleft(), needed);
        }
        bytes memory data = abi.encodeCall(IPicoloConsumer.onPicoloResult, (id, snapshot, result));
        (address consumer, uint256 allowed) = (fields.consumer, fields.callbackGas);
        bool done;
        assembly ("memory-safe") {
            done := call(allowed, consumer, 0, add(data, 0x20), mload(data), 0, 0)
        }
        if (!done) {
            emit CallbackFailed(id);
        }
    }
}
