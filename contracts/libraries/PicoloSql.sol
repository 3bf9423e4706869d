// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICheckpointAnchor} from "../interfaces/ICheckpointAnchor.sol";
import {Packed} from "./Packed.sol";
import {PrefixRange} from "./PrefixRange.sol";
import {RowCbor} from "./RowCbor.sol";
import {RowPath} from "./RowPath.sol";
import {TreeEntry} from "./TreeEntry.sol";

/**
 * @title SQL for contracts (Picolo Appendix A; oracle §3)
 * @notice SELECT by key, projection to columns, COUNT, and SUM, MIN, MAX over bounded ranges, from tables that live in Picolo. A question is
 * asked by `lookup`, which reverts with ERC-3668's OffchainLookup; the answer comes back as bytes and is proven here. What is
 * believed is N - f replicas of the table's group, for each function; nothing is believed of who delivers the bytes.
 *
 * Answer: 0 ‖ height(8), a checkpoint that is anchored; or 1 ‖ length(2) ‖ certified checkpoint. Then what the function says.
 */
library PicoloSql {
    /// @notice ERC-3668: ask one of the urls, then call back.
    error OffchainLookup(address sender, string[] urls, bytes callData, bytes4 callbackFunction, bytes extraData);
    /// @notice The answer or its proof is not one to this question.
    error BadAnswer();
    /// @notice More rows than a contract should read at once.
    error TooManyRows(uint256 rows);
    /// @notice The state is older than the caller wants.
    error TooOld(uint256 closedAt, uint256 wanted);
    /// @notice MIN and MAX of nothing.
    error NoRows();

    /// @dev Most rows of one range.
    uint256 internal constant MAX_ROWS = 64;
    uint256 private constant STEP = 38;

    /// @dev Questions, the first byte of the call data for a gateway.
    uint8 internal constant ROW = 0;
    uint8 internal constant COUNT = 1;
    uint8 internal constant RANGE = 2;

    /// @dev A table of a database in a group.
    struct Table {
        bytes32 group;
        bytes32 database;
        bytes32 id;
    }

    /// @dev A row as it was proven. `content` has the columns in canonical form; read it with `RowCbor`.
    struct Row {
        bool present;
        bytes key;
        bytes content;
        uint256 writtenAt; // timestamp of the transaction that wrote it, 96 bits
    }

    /// @dev The table `name`; does not look whether it exists.
    function table(bytes32 group, bytes32 database, string memory name) internal pure returns (Table memory) {
        return Table(group, database, RowPath.tableId(database, name));
    }

    // ---- asking

    /// @dev Asks for the row with this key. Reverts with OffchainLookup.
    function lookupRow(Table memory t, RowPath.Key memory key, string[] memory urls, bytes4 callback, bytes memory extra) internal view {
        bytes32 path = RowPath.pathOf(t.id, key.ordered);
        _ask(abi.encodePacked(ROW, t.group, t.database, path, path), urls, callback, extra);
    }

    /// @dev Asks for the number of rows from one key to another, both inclusive. Reverts with OffchainLookup.
    function lookupCount(
        Table memory t, RowPath.Key memory from, RowPath.Key memory to, string[] memory urls, bytes4 callback, bytes memory extra
    ) internal view {
        _ask(_bounds(COUNT, t, from, to), urls, callback, extra);
    }

    /// @dev Asks for all rows from one key to another, both inclusive. Reverts with OffchainLookup.
    function lookupRange(
        Table memory t, RowPath.Key memory from, RowPath.Key memory to, string[] memory urls, bytes4 callback, bytes memory extra
    ) internal view {
        _ask(_bounds(RANGE, t, from, to), urls, callback, extra);
    }

    // ---- answers

    /**
     * @dev SELECT … WHERE key = …: the row or its proven absence.
     * Answer: entry of the key's path; if present, version(32) ‖ writtenAt(12) ‖ length(2) ‖ content.
     */
    function selectRow(ICheckpointAnchor anchor, Table memory t, RowPath.Key memory key, bytes calldata answer)
        internal
        view
        returns (Row memory row, ICheckpointAnchor.Anchor memory state)
    {
        uint256 pos;
        (state, pos) = _open(anchor, t.group, answer);
        TreeEntry.Entry memory entry = TreeEntry.read(state.stateRoot, RowPath.pathOf(t.id, key.ordered), pos);
        pos = entry.next;
        if (entry.present) {
            bytes32 hash;
            (row.key, row.present) = (RowPath.encode(key), true);
            (hash, pos) = _content(row, pos);
            if (hash != entry.rowHash) {
                revert BadAnswer();
            }
        }
        Packed.finish(answer, pos);
    }

    /**
     * @dev SELECT COUNT(*) … WHERE key BETWEEN …, by the ranks of the ends: two paths, however many rows.
     * It counts leaves between paths, which begin with 4 bytes of the table's id: in a group that others write to, somebody
     * may grind a table of theirs to the same 4 bytes (2^32 hashes) and be counted in. There, count the rows of `selectRange`.
     * Answer: entry of the first path, entry of the last path.
     */
    function countRows(ICheckpointAnchor anchor, Table memory t, RowPath.Key memory from, RowPath.Key memory to, bytes calldata answer)
        internal
        view
        returns (uint256 rows, ICheckpointAnchor.Anchor memory state)
    {
        uint256 pos;
        (state, pos) = _open(anchor, t.group, answer);
        TreeEntry.Entry memory first = TreeEntry.read(state.stateRoot, RowPath.firstPath(t.id, from.ordered), pos);
        TreeEntry.Entry memory last = TreeEntry.read(state.stateRoot, RowPath.lastPath(t.id, to.ordered), first.next);
        Packed.finish(answer, last.next);
        uint256 end = last.rank + (last.present ? 1 : 0);
        if (end < first.rank) {
            revert BadAnswer(); // the keys are in the wrong order
        }
        return (end - first.rank, state);
    }

    /**
     * @dev SELECT … WHERE key BETWEEN …: all rows of the table from one key to another, at most MAX_ROWS leaves, none left out.
     * Keys longer than 12 bytes may share the ends of the range with neighbours: filter by key.
     * Answer: flags(1): bit 0 before, bit 1 after; [path(32) ‖ rowHash(32) of the leaf before]; steps(1) ‖ steps on the left,
     * root downwards; rows(1) ‖ each path(32) ‖ length(2) ‖ key ‖ version(32) ‖ writtenAt(12) ‖ length(2) ‖ content;
     * [path ‖ rowHash of the leaf after]; steps(1) ‖ steps on the right, leaf upwards.
     */
    function selectRange(ICheckpointAnchor anchor, Table memory t, RowPath.Key memory from, RowPath.Key memory to, bytes calldata answer)
        internal
        view
        returns (Row[] memory rows, ICheckpointAnchor.Anchor memory state)
    {
        uint256 pos;
        (state, pos) = _open(anchor, t.group, answer);
        Frame memory frame = Frame(t.id, RowPath.firstPath(t.id, from.ordered), RowPath.lastPath(t.id, to.ordered), 0, 0, Packed.u8(pos));
        PrefixRange.Stack memory stack = PrefixRange.start();
        pos = _left(frame, stack, pos + 1);
        (rows, pos) = _rows(frame, stack, pos);
        pos = _right(frame, stack, pos);
        Packed.finish(answer, pos);
        if (PrefixRange.root(stack) != state.stateRoot) {
            revert BadAnswer();
        }
    }

    // ---- aggregates over proven rows; nulls do not count

    /// @dev SUM of an integer column.
    function sum(Row[] memory rows, uint256 column) internal pure returns (int256 total) {
        for (uint256 i = 0; i < rows.length; ++i) {
            if (!RowCbor.isNull(rows[i].content, column)) {
                total += RowCbor.integer(rows[i].content, column);
            }
        }
    }

    /// @dev MIN and MAX of an integer column. Requirements: there is a value.
    function extremes(Row[] memory rows, uint256 column) internal pure returns (int256 least, int256 most) {
        (least, most) = (type(int256).max, type(int256).min);
        for (uint256 i = 0; i < rows.length; ++i) {
            if (!RowCbor.isNull(rows[i].content, column)) {
                int256 value = RowCbor.integer(rows[i].content, column);
                least = value < least ? value : least;
                most = value > most ? value : most;
            }
        }
        if (most < least) {
            revert NoRows();
        }
    }

    /// @dev Requirements: the state is complete up to `wanted` (unix seconds) or later.
    function requireFresh(ICheckpointAnchor.Anchor memory state, uint256 wanted) internal pure {
        if (state.closedAt < wanted) {
            revert TooOld(state.closedAt, wanted);
        }
    }

    // ---- inside

    /// @dev What reading a range keeps in mind. `last`: path of the latest leaf, none before the first; `gap`: of the next one.
    struct Frame {
        bytes32 tableId;
        bytes32 from;
        bytes32 to;
        bytes32 last;
        uint256 gap;
        uint256 flags;
    }

    function _bounds(uint8 kind, Table memory t, RowPath.Key memory from, RowPath.Key memory to) private pure returns (bytes memory) {
        return abi.encodePacked(kind, t.group, t.database, RowPath.firstPath(t.id, from.ordered), RowPath.lastPath(t.id, to.ordered));
    }

    function _ask(bytes memory question, string[] memory urls, bytes4 callback, bytes memory extra) private view {
        revert OffchainLookup(address(this), urls, question, callback, extra);
    }

    function _open(ICheckpointAnchor anchor, bytes32 group, bytes calldata answer)
        private
        view
        returns (ICheckpointAnchor.Anchor memory state, uint256 pos)
    {
        pos = Packed.start(answer);
        uint256 source = Packed.u8(pos);
        if (source == 0) {
            return (anchor.anchorAt(group, Packed.u64(pos + 1)), pos + 9);
        }
        uint256 length = Packed.integer(pos + 1, 2);
        if (source != 1 || answer.length < 3 + length) {
            revert BadAnswer();
        }
        return (anchor.check(group, answer[3:3 + length]), pos + 3 + length);
    }

    /// @dev version(32) ‖ writtenAt(12) ‖ length(2) ‖ content into `row`, whose key is known.
    function _content(Row memory row, uint256 pos) private pure returns (bytes32 hash, uint256 next) {
        bytes32 version = Packed.word(pos);
        row.writtenAt = Packed.integer(pos + 32, 12);
        (row.content, next) = _bytes(pos + 44);
        hash = RowPath.rowHash(version, row.writtenAt, row.key, row.content);
    }

    function _bytes(uint256 pos) private pure returns (bytes memory data, uint256 next) {
        uint256 length = Packed.integer(pos, 2);
        data = new bytes(length);
        assembly ("memory-safe") {
            calldatacopy(add(data, 0x20), add(pos, 2), length)
        }
        next = pos + 2 + length;
    }

    function _left(Frame memory frame, PrefixRange.Stack memory stack, uint256 pos) private pure returns (uint256) {
        bool before = frame.flags & 1 == 1;
        (bytes32 path, bytes32 rowHash) = (Packed.word(pos), Packed.word(pos + 32));
        if (before) {
            pos += 64;
        }
        uint256 steps = Packed.u8(pos++);
        if (frame.flags > 3 || (steps != 0 && !before) || (before && path >= frame.from)) {
            revert BadAnswer();
        }
        for (uint256 i = 0; i < steps; ++i) {
            uint256 depth = _step(stack, path, 1, frame.gap, pos);
            if (i != 0 && depth <= frame.gap) {
                revert BadAnswer();
            }
            frame.gap = depth;
            pos += STEP;
        }
        if (before) {
            _leaf(frame, stack, path, rowHash);
        }
        return pos;
    }

    function _rows(Frame memory frame, PrefixRange.Stack memory stack, uint256 pos) private pure returns (Row[] memory rows, uint256) {
        uint256 count = Packed.u8(pos++);
        if (count > MAX_ROWS) {
            revert TooManyRows(count);
        }
        rows = new Row[](count);
        uint256 kept = 0;
        for (uint256 i = 0; i < count; ++i) {
            Row memory row;
            bytes32 path = Packed.word(pos);
            if (path < frame.from || path > frame.to) {
                revert BadAnswer();
            }
            bytes32 hash;
            (row.key, pos) = _bytes(pos + 32);
            (hash, pos) = _content(row, pos);
            row.present = true;
            _leaf(frame, stack, path, hash);
            // a leaf of another table whose id begins with the same 4 bytes is proven, but no row of this one
            if (RowPath.pathOf(frame.tableId, RowCbor.ordered(row.key)) == path) {
                rows[kept++] = row;
            }
        }
        assembly ("memory-safe") {
            mstore(rows, kept)
        }
        return (rows, pos);
    }

    function _right(Frame memory frame, PrefixRange.Stack memory stack, uint256 pos) private pure returns (uint256) {
        bool after_ = frame.flags & 2 == 2;
        bytes32 path = Packed.word(pos);
        if (after_) {
            if (path <= frame.to) {
                revert BadAnswer();
            }
            _leaf(frame, stack, path, Packed.word(pos + 32));
            pos += 64;
        }
        uint256 steps = Packed.u8(pos++);
        if (steps != 0 && !after_) {
            revert BadAnswer();
        }
        uint256 below = 256;
        for (uint256 i = 0; i < steps; ++i) {
            uint256 depth = Packed.u8(pos);
            if (depth >= below) {
                revert BadAnswer();
            }
            below = _step(stack, path, 0, depth, pos);
            pos += STEP;
        }
        return pos;
    }

    /// @dev One sibling of the frame. Requirements: the frame's leaf is on the other side there; the sibling is not empty.
    function _step(PrefixRange.Stack memory stack, bytes32 path, uint256 side, uint256 gap, uint256 pos) private pure returns (uint256 depth) {
        depth = Packed.u8(pos);
        uint256 count = Packed.integer(pos + 1, 5);
        if ((uint256(path) >> (255 - depth)) & 1 != side || count == 0) {
            revert BadAnswer();
        }
        PrefixRange.push(stack, Packed.word(pos + 6), count, gap);
    }

    function _leaf(Frame memory frame, PrefixRange.Stack memory stack, bytes32 path, bytes32 rowHash) private pure {
        if (stack.size != 0 && frame.last != 0) {
            if (path <= frame.last) {
                revert BadAnswer();
            }
            frame.gap = PrefixRange.parting(frame.last, path);
        }
        PrefixRange.push(stack, PrefixRange.leaf(path, rowHash), 1, frame.gap);
        frame.last = path;
    }
}
