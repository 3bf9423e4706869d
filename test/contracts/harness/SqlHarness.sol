// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICheckpointAnchor} from "../../../contracts/interfaces/ICheckpointAnchor.sol";
import {IPicoloConsumer, IQueryOracle} from "../../../contracts/interfaces/IQueryOracle.sol";
import {PicoloSql} from "../../../contracts/libraries/PicoloSql.sol";
import {RowCbor} from "../../../contracts/libraries/RowCbor.sol";
import {RowPath} from "../../../contracts/libraries/RowPath.sol";

/// @title SQL for contracts, callable from a test with keys in canonical form
contract SqlHarness {
    ICheckpointAnchor private immutable ANCHOR;

    constructor(ICheckpointAnchor anchor) {
        ANCHOR = anchor;
    }

    function keyOf(bytes calldata cbor) private pure returns (RowPath.Key memory) {
        bytes memory copy = cbor;
        (uint256 columns, uint256 first) = RowCbor.enter(copy, 0);
        return RowPath.Key(RowCbor.ordered(copy), cbor[first:], columns);
    }

    function pathOf(bytes32 database, string calldata table, bytes calldata key) external pure returns (bytes32) {
        return RowPath.pathOf(RowPath.tableId(database, table), RowCbor.ordered(key));
    }

    function bounds(bytes32 database, string calldata table, bytes calldata from, bytes calldata to)
        external
        pure
        returns (bytes32, bytes32)
    {
        bytes32 id = RowPath.tableId(database, table);
        return (RowPath.firstPath(id, keyOf(from).ordered), RowPath.lastPath(id, keyOf(to).ordered));
    }

    /// @dev The key built column by column must be the one that was given.
    function composed(int64 number, string calldata text, bytes calldata blob) external pure returns (bytes memory, bytes memory) {
        RowPath.Key memory key = RowPath.and(RowPath.and(RowPath.ofInteger(number), RowPath.ofText(text)), RowPath.ofBlob(blob));
        return (RowPath.encode(key), key.ordered);
    }

    function rowHash(bytes32 version, uint256 writtenAt, bytes calldata key, bytes calldata content) external pure returns (bytes32) {
        return RowPath.rowHash(version, writtenAt, key, content);
    }

    function integer(bytes calldata row, uint256 column) external pure returns (int256) {
        return RowCbor.integer(row, column);
    }

    function text(bytes calldata row, uint256 column) external pure returns (string memory) {
        return RowCbor.text(row, column);
    }

    function blob(bytes calldata row, uint256 column) external pure returns (bytes memory) {
        return RowCbor.blob(row, column);
    }

    function real(bytes calldata row, uint256 column) external pure returns (bytes8) {
        return RowCbor.realBits(row, column);
    }

    function isNull(bytes calldata row, uint256 column) external pure returns (bool) {
        return RowCbor.isNull(row, column);
    }

    function cell(bytes calldata result, uint256 row, uint256 column) external pure returns (int256) {
        return RowCbor.cell(result, row, column);
    }

    function selectRow(bytes32 group, bytes32 database, string calldata table, bytes calldata key, bytes calldata answer)
        external
        view
        returns (PicoloSql.Row memory row, uint256 closedAt)
    {
        ICheckpointAnchor.Anchor memory state;
        (row, state) = PicoloSql.selectRow(ANCHOR, PicoloSql.table(group, database, table), keyOf(key), answer);
        return (row, state.closedAt);
    }

    function countRows(bytes32 group, bytes32 database, string calldata table, bytes[2] calldata ends, bytes calldata answer)
        external
        view
        returns (uint256 rows)
    {
        (rows,) = PicoloSql.countRows(ANCHOR, PicoloSql.table(group, database, table), keyOf(ends[0]), keyOf(ends[1]), answer);
    }

    function selectRange(bytes32 group, bytes32 database, string calldata table, bytes[2] calldata ends, bytes calldata answer)
        public
        view
        returns (PicoloSql.Row[] memory rows)
    {
        (rows,) = PicoloSql.selectRange(ANCHOR, PicoloSql.table(group, database, table), keyOf(ends[0]), keyOf(ends[1]), answer);
    }

    function aggregates(
        bytes32 group, bytes32 database, string calldata table, bytes[2] calldata ends, bytes calldata answer, uint256 column
    ) external view returns (int256 sum, int256 least, int256 most) {
        PicoloSql.Row[] memory rows = selectRange(group, database, table, ends, answer);
        sum = PicoloSql.sum(rows, column);
        (least, most) = PicoloSql.extremes(rows, column);
    }
}

/// @title A consumer of the oracle that misbehaves as it is told
contract OddConsumer is IPicoloConsumer {
    enum Mood { Take, Revert, Burn, Bomb, Reenter }

    IQueryOracle private immutable ORACLE;
    Mood public mood;
    bytes32 public last;
    uint96 public snapshot;
    bytes public result;
    bytes public payload;
    bool public reentered;

    constructor(IQueryOracle oracle) {
        ORACLE = oracle;
    }

    receive() external payable {}

    function setMood(Mood value, bytes calldata data) external {
        (mood, payload) = (value, data);
    }

    function ask(bytes32 salt, bytes32 group, bytes32 statement, bytes calldata args, uint40 expiresAt, uint32 callbackGas)
        external
        payable
    {
        ORACLE.request{value: msg.value}(salt, group, statement, args, 0, expiresAt, callbackGas);
    }

    function giveUp(IQueryOracle.Request calldata fields) external {
        ORACLE.cancel(fields);
    }

    function onPicoloResult(bytes32 request, uint96 at_, bytes calldata data) external {
        if (mood == Mood.Revert) {
            revert("no");
        }
        if (mood == Mood.Burn) {
            while (true) {
                last = keccak256(abi.encode(last));
            }
        }
        if (mood == Mood.Bomb) {
            assembly ("memory-safe") {
                return(0, 60000)
            }
        }
        if (mood == Mood.Reenter) {
            (reentered,) = address(ORACLE).call(payload);
        }
        (last, snapshot, result) = (request, at_, data);
    }
}

/// @title The scores of `ScoreBoard`, kept on chain: what keeping them in Picolo is measured against
contract ScoreBoardOnChain {
    struct Score {
        int64 points;
        string name;
    }

    mapping(address player => Score) public scoreOf;
    mapping(address player => bool) public claimed;

    event PrizeClaimed(address indexed player, int256 points);

    function play(int64 points, string calldata name) external {
        scoreOf[msg.sender] = Score(points, name);
    }

    function claim() external {
        require(scoreOf[msg.sender].points >= 100 && !claimed[msg.sender], "no prize");
        claimed[msg.sender] = true;
        emit PrizeClaimed(msg.sender, scoreOf[msg.sender].points);
    }
}
