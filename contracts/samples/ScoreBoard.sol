// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICheckpointAnchor} from "../interfaces/ICheckpointAnchor.sol";
import {IPicoloConsumer, IQueryOracle} from "../interfaces/IQueryOracle.sol";
import {PicoloSql} from "../libraries/PicoloSql.sol";
import {RowCbor} from "../libraries/RowCbor.sol";
import {RowPath} from "../libraries/RowPath.sol";

/**
 * @title A contract that keeps its state in Picolo (Picolo §6.4, Appendix A)
 * @notice A game's scores: CREATE TABLE scores (player BLOB PRIMARY KEY, points INTEGER NOT NULL, name TEXT NOT NULL). `play` says in an event
 * what happened; the keeper writes it into the table; whoever needs a score proves it. The contract itself stores one bit for
 * each prize that was claimed.
 *
 * @dev Trust: that the keeper writes what the events say (it owns the database, nobody else can write, and a missing
 * row is visible to everybody), and N - f replicas of the group for what the table holds. See docs/contracts/picolo-sql.md.
 */
contract ScoreBoard is IPicoloConsumer {
    event Scored(address indexed player, int64 points, string name);
    event PrizeClaimed(address indexed player, int256 points);

    error NotEnough(int256 points, int256 needed);
    error ClaimedBefore(address player);
    error NotTheOracle(address caller);

    /// @notice Points for a prize.
    int256 public constant NEEDED = 100;
    /// @notice Oldest state that counts, in seconds.
    uint256 public constant MAX_AGE = 1 days;
    uint256 private constant POINTS = 1;
    uint256 private constant NAME = 2;

    /// @notice Where proofs are checked.
    ICheckpointAnchor public immutable ANCHOR;
    /// @notice Who brings results of general SQL.
    IQueryOracle public immutable ORACLE;
    bytes32 private immutable _group;
    bytes32 private immutable _database;
    bytes32 private immutable _table;

    /// @notice Gateways, as templates of ERC-3668.
    string[] public urls;
    /// @notice Whether a player got its prize.
    mapping(address player => bool) public claimed;
    /// @notice Latest average that the oracle brought, and for which request.
    int256 public average;
    /// @notice See `average`.
    bytes32 public averageRequest;

    /**
     * @param anchor where proofs are checked
     * @param oracle who brings results
     * @param group the group that the database lives in
     * @param database the database
     * @param gateways urls with {sender} and {data}
     */
    constructor(ICheckpointAnchor anchor, IQueryOracle oracle, bytes32 group, bytes32 database, string[] memory gateways) {
        (ANCHOR, ORACLE) = (anchor, oracle);
        PicoloSql.Table memory t = PicoloSql.table(group, database, "scores");
        (_group, _database, _table) = (t.group, t.database, t.id);
        urls = gateways;
    }

    /// @notice Says what happened. Instead of two storage slots: one event.
    function play(int64 points, string calldata name) external {
        emit Scored(msg.sender, points, name);
    }

    /// @notice SELECT points, name FROM scores WHERE player = …, for nothing. Reverts with OffchainLookup; clients follow it (ERC-3668).
    function scoreOf(address player) external view returns (int256, string memory) {
        PicoloSql.lookupRow(_scores(), _key(player), urls, this.scoreFrom.selector, abi.encode(player));
    }

    /// @notice Callback of `scoreOf`. A player without a row has no points and no name.
    function scoreFrom(bytes calldata answer, bytes calldata extra) external view returns (int256 points, string memory name) {
        (PicoloSql.Row memory row,) = PicoloSql.selectRow(ANCHOR, _scores(), _key(abi.decode(extra, (address))), answer);
        if (row.present) {
            (points, name) = (RowCbor.integer(row.content, POINTS), RowCbor.text(row.content, NAME));
        }
    }

    /// @notice SELECT COUNT(*) FROM scores. Reverts with OffchainLookup.
    function players() external view returns (uint256) {
        PicoloSql.lookupCount(_scores(), RowPath.all(), RowPath.all(), urls, this.playersFrom.selector, "");
    }

    /// @notice Callback of `players`.
    function playersFrom(bytes calldata answer, bytes calldata) external view returns (uint256 count) {
        (count,) = PicoloSql.countRows(ANCHOR, _scores(), RowPath.all(), RowPath.all(), answer);
    }

    /// @notice SELECT SUM(points), MIN(points), MAX(points) FROM scores, of at most 64 players. Reverts with OffchainLookup.
    function totals() external view returns (int256, int256, int256) {
        PicoloSql.lookupRange(_scores(), RowPath.all(), RowPath.all(), urls, this.totalsFrom.selector, "");
    }

    /// @notice Callback of `totals`.
    function totalsFrom(bytes calldata answer, bytes calldata) external view returns (int256 total, int256 least, int256 most) {
        (PicoloSql.Row[] memory rows,) = PicoloSql.selectRange(ANCHOR, _scores(), RowPath.all(), RowPath.all(), answer);
        total = PicoloSql.sum(rows, POINTS);
        (least, most) = PicoloSql.extremes(rows, POINTS);
    }

    /**
     * @notice Claims the prize of the caller with a proof of its score.
     * Requirements: the proven score is enough, the proven state not older than MAX_AGE; one prize each.
     */
    function claim(bytes calldata answer) external {
        (PicoloSql.Row memory row, ICheckpointAnchor.Anchor memory state) =
            PicoloSql.selectRow(ANCHOR, _scores(), _key(msg.sender), answer);
        PicoloSql.requireFresh(state, block.timestamp - MAX_AGE);
        int256 points = row.present ? RowCbor.integer(row.content, POINTS) : int256(0);
        if (points < NEEDED) {
            revert NotEnough(points, NEEDED);
        }
        if (claimed[msg.sender]) {
            revert ClaimedBefore(msg.sender);
        }
        claimed[msg.sender] = true;
        emit PrizeClaimed(msg.sender, points);
    }

    /// @notice Asks the oracle for a statement with one integer in its first row; the ether that comes along is the fee.
    function askAverage(bytes32 statement, bytes calldata args) external payable returns (bytes32 id) {
        bytes32 salt = keccak256(abi.encode(averageRequest, block.number));
        id = ORACLE.request{value: msg.value}(salt, _group, statement, args, _oldest(), uint40(block.timestamp + 1 hours), 150_000);
        averageRequest = id;
    }

    /// @inheritdoc IPicoloConsumer
    function onPicoloResult(bytes32 request, uint96, bytes calldata result) external {
        if (msg.sender != address(ORACLE) || request != averageRequest) {
            revert NotTheOracle(msg.sender);
        }
        average = RowCbor.cell(result, 0, 0);
    }

    function _scores() private view returns (PicoloSql.Table memory) {
        return PicoloSql.Table(_group, _database, _table);
    }

    function _key(address player) private pure returns (RowPath.Key memory) {
        return RowPath.ofBlob(abi.encodePacked(player));
    }

    /// @dev The oldest state that counts, as a snapshot: milliseconds in the upper 48 of 96 bits.
    function _oldest() private view returns (uint96) {
        return uint96((block.timestamp - MAX_AGE) * 1000) << 48;
    }
}
