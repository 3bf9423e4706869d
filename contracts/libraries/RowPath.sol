// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {RowCbor} from "./RowCbor.sol";

/**
 * @title Keys of rows, their paths and leaves (data DATA-20 to DATA-33)
 * @notice The twin of protocol/rows for contracts: which path a key has in the state tree of its group, and which hash a row has there.
 */
library RowPath {
    /// @dev A primary key: `ordered` keeps the order of keys, `items` are its scalars in canonical CBOR, `columns` how many.
    struct Key {
        bytes ordered;
        bytes items;
        uint256 columns;
    }

    /// @dev Bytes of the ordered key that stand in a path as they are.
    uint256 private constant ORDER_BYTES = 12;

    /// @dev Id of a table's rows: SHA-256("picolo/table" ‖ database ‖ name ‖ 0).
    function tableId(bytes32 database, string memory name) internal pure returns (bytes32) {
        return sha256(abi.encodePacked("picolo/table", database, name, uint8(0)));
    }

    /// @dev Key of one INTEGER, BOOLEAN or TIMESTAMP column.
    function ofInteger(int64 value) internal pure returns (Key memory) {
        bytes memory item = value < 0 ? RowCbor.head(1, uint256(-1 - int256(value))) : RowCbor.head(0, uint256(int256(value)));
        return Key(RowCbor.orderedInteger(value), item, 1);
    }

    /// @dev Key of one TEXT column.
    function ofText(string memory value) internal pure returns (Key memory) {
        bytes memory data = bytes(value);
        return Key(RowCbor.orderedString(3, data), bytes.concat(RowCbor.head(3, data.length), data), 1);
    }

    /// @dev Key of one BLOB column.
    function ofBlob(bytes memory value) internal pure returns (Key memory) {
        return Key(RowCbor.orderedString(4, value), bytes.concat(RowCbor.head(2, value.length), value), 1);
    }

    /// @dev The key that every key begins with: as both ends of a range it means the whole table.
    function all() internal pure returns (Key memory) {
        return Key("", "", 0);
    }

    /// @dev The columns of `first`, then those of `second`.
    function and(Key memory first, Key memory second) internal pure returns (Key memory) {
        return Key(
            bytes.concat(first.ordered, second.ordered), bytes.concat(first.items, second.items), first.columns + second.columns
        );
    }

    /// @dev Canonical CBOR of the key.
    function encode(Key memory key) internal pure returns (bytes memory) {
        return bytes.concat(RowCbor.head(4, key.columns), key.items);
    }

    /// @dev Path of the row with this ordered key.
    function pathOf(bytes32 table, bytes memory ordered) internal pure returns (bytes32) {
        bytes32 tail = sha256(bytes.concat(table, ordered));
        return _joined(table, _order(ordered, 0), uint128(bytes16(tail)));
    }

    /// @dev First path that a row with this key or one it begins can have.
    function firstPath(bytes32 table, bytes memory ordered) internal pure returns (bytes32) {
        return _joined(table, _order(ordered, 0), 0);
    }

    /// @dev Last path that a row with this key or one it begins can have.
    function lastPath(bytes32 table, bytes memory ordered) internal pure returns (bytes32) {
        return _joined(table, _order(ordered, type(uint96).max), type(uint128).max);
    }

    /// @dev What the leaf of a row commits to: version, timestamp, key and content; leaves without content (nonces) have none.
    function rowHash(bytes32 version, uint256 writtenAt, bytes memory key, bytes memory content) internal pure returns (bytes32) {
        bytes32 written = sha256(abi.encodePacked(version, writtenAt));
        bytes32 contentHash = content.length == 0 ? bytes32(0) : sha256(content);
        return sha256(abi.encodePacked(written, sha256(abi.encodePacked(sha256(key), contentHash))));
    }

    /// @dev First 12 bytes of the ordered key; what is missing of them comes from `filler`.
    function _order(bytes memory ordered, uint96 filler) private pure returns (uint96 result) {
        uint256 length = ordered.length < ORDER_BYTES ? ordered.length : ORDER_BYTES;
        uint256 rest = 8 * (ORDER_BYTES - length);
        uint256 word;
        assembly ("memory-safe") {
            word := mload(add(ordered, 0x20))
        }
        return uint96((word >> 160 >> rest << rest) | (uint256(filler) & ((1 << rest) - 1)));
    }

    function _joined(bytes32 table, uint96 order, uint128 tail) private pure returns (bytes32) {
        return bytes32((uint256(table) >> 224 << 224) | (uint256(order) << 128) | tail);
    }
}
