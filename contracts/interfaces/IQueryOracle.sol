// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What contracts need to have a query run for them
interface IQueryOracle {
    /**
     * @dev A request is named by the hash of these fields, so only that hash is stored. `consumer` asked and is called back;
     * `args` = SHA-256 of the parameters in canonical CBOR; the result's snapshot must not be before `minSnapshot` (hybrid timestamp: milliseconds
     * in the upper 48 of 96 bits); `feeWei` waits for whoever brings the result.
     */
    struct Request {
        address consumer;
        bytes32 salt;
        bytes32 group;
        bytes32 statement;
        bytes32 args;
        uint96 minSnapshot;
        uint40 expiresAt;
        uint32 callbackGas;
        uint96 feeWei;
    }

    enum State { None, Open, Fulfilled, Cancelled }

    event StatementRegistered(bytes32 indexed group, bytes32 indexed statement, address indexed by);
    event Requested(bytes32 indexed request, bytes32 indexed group, bytes32 indexed statement, Request fields, bytes args);
    event Fulfilled(bytes32 indexed request, address indexed payee, uint96 snapshot, bytes result);
    /// @dev The consumer's callback reverted or ran out of its gas; the result is in `Fulfilled` all the same.
    event CallbackFailed(bytes32 indexed request);
    event Cancelled(bytes32 indexed request);

    error UnknownStatement(bytes32 group, bytes32 statement);
    error RequestExists(bytes32 request);
    error WrongState(bytes32 request, State state);
    error BadExpiry(uint256 expiresAt);
    error TooMuchGas(uint256 callbackGas);
    error ArgsTooLong(uint256 length);
    error ResultTooLong(uint256 length);
    error WrongFee(uint256 value);
    error Expired(uint256 expiresAt);
    error NotExpired(uint256 expiresAt);
    error StaleSnapshot(uint96 snapshot, uint96 wanted);
    error NotConsumer(address caller);
    error GasTooLow(uint256 left, uint256 needed);

    function request(
        bytes32 salt, bytes32 group, bytes32 statement, bytes calldata args, uint96 minSnapshot, uint40 expiresAt, uint32 callbackGas
    ) external payable returns (bytes32 id);
    function cancel(Request calldata fields) external;
}

/// @title What a contract implements to be called back
interface IPicoloConsumer {
    /**
     * @notice The result of a request. Must check that the caller is the oracle.
     * @param snapshot hybrid timestamp of the state that was asked
     * @param result [column names, rows] in canonical CBOR
     */
    function onPicoloResult(bytes32 request, uint96 snapshot, bytes calldata result) external;
}
