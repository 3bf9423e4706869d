// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Reading rows in their canonical form (data DATA-1 to DATA-3)
 * @notice A row is a CBOR array of scalars: null, integer of 64 bits, text, bytes, or a real as ["f", 8 bytes]. Every reader
 * takes bytes whose hash was proven, so a form that is not canonical cannot occur; one that is no such row reverts.
 */
library RowCbor {
    /// @notice The row has no such column: it is beyond the end, or left off because it holds an added column's default (DATA-12).
    error NoColumn(uint256 index);
    /// @notice The column holds another type.
    error WrongType(uint256 index);
    /// @notice The bytes are no row.
    error NotARow();

    uint256 private constant UINT = 0;
    uint256 private constant NEGATIVE = 1;
    uint256 private constant BYTES = 2;
    uint256 private constant TEXT = 3;
    uint256 private constant ARRAY = 4;
    uint256 private constant NULL = 0xf6;

    /// @dev Items of the array that begins at byte `pos`, and where the first of them is.
    function enter(bytes memory data, uint256 pos) internal pure returns (uint256 count, uint256 first) {
        uint256 major;
        (major, count, first) = _head(data, pos);
        if (major != ARRAY) {
            revert NotARow();
        }
    }

    /// @dev Position after the item at `pos`.
    function skip(bytes memory data, uint256 pos) internal pure returns (uint256) {
        if (_byte(data, pos) == NULL) {
            return pos + 1;
        }
        (uint256 major, uint256 value, uint256 next) = _head(data, pos);
        if (major == ARRAY) {
            for (uint256 i = 0; i < value; ++i) {
                next = skip(data, next);
            }
            return next;
        }
        return major == BYTES || major == TEXT ? next + value : next;
    }

    /// @dev Position of column `index` of the row that begins at `pos`.
    function column(bytes memory data, uint256 pos, uint256 index) internal pure returns (uint256) {
        uint256 count;
        (count, pos) = enter(data, pos);
        if (index >= count) {
            revert NoColumn(index);
        }
        for (uint256 i = 0; i < index; ++i) {
            pos = skip(data, pos);
        }
        return pos;
    }

    /// @dev True when column `index` of the row is null.
    function isNull(bytes memory row, uint256 index) internal pure returns (bool) {
        return _byte(row, column(row, 0, index)) == NULL;
    }

    /// @dev Integer, boolean or timestamp in column `index` of the row.
    function integer(bytes memory row, uint256 index) internal pure returns (int256) {
        return _integer(row, column(row, 0, index), index);
    }

    /// @dev Integer in one cell of a result, which is [column names, rows].
    function cell(bytes memory result, uint256 row, uint256 index) internal pure returns (int256) {
        uint256 rows = column(result, 0, 1);
        uint256 pos = column(result, column(result, rows, row), index);
        return _integer(result, pos, index);
    }

    /// @dev Text in column `index` of the row.
    function text(bytes memory row, uint256 index) internal pure returns (string memory) {
        return string(_string(row, index, TEXT));
    }

    /// @dev Bytes in column `index` of the row.
    function blob(bytes memory row, uint256 index) internal pure returns (bytes memory) {
        return _string(row, index, BYTES);
    }

    /// @dev IEEE 754 bits of the real in column `index` of the row.
    function realBits(bytes memory row, uint256 index) internal pure returns (bytes8) {
        uint256 pos = column(row, 0, index);
        (uint256 major, uint256 value, uint256 first) = _head(row, pos);
        if (major != ARRAY || value != 2) {
            revert WrongType(index);
        }
        return bytes8(_part(row, first + 3, 8)); // behind 0x61 "f" and the head 0x48
    }

    /**
     * @dev Bytes whose order is the order of the keys (DATA-20) of a key in canonical form: what its path is made from.
     */
    function ordered(bytes memory key) internal pure returns (bytes memory result) {
        (uint256 count, uint256 pos) = enter(key, 0);
        for (uint256 i = 0; i < count; ++i) {
            uint256 next = skip(key, pos);
            result = bytes.concat(result, _orderedScalar(key, pos));
            pos = next;
        }
    }

    function _orderedScalar(bytes memory key, uint256 pos) private pure returns (bytes memory) {
        if (_byte(key, pos) == NULL) {
            return hex"00";
        }
        (uint256 major, uint256 value, uint256 next) = _head(key, pos);
        if (major == UINT || major == NEGATIVE) {
            return orderedInteger(major == UINT ? int256(value) : -1 - int256(value));
        }
        if (major == ARRAY) {
            return orderedReal(uint64(bytes8(_part(key, next + 3, 8))));
        }
        return orderedString(major == TEXT ? 3 : 4, _slice(key, next, value));
    }

    /// @dev Tag 1 and the two's complement with its sign bit flipped: negative numbers come first.
    function orderedInteger(int256 value) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(1), uint64(uint256(value)) ^ (uint64(1) << 63));
    }

    /// @dev Tag 2 and the bits: positive ones get the sign bit, negative ones are inverted.
    function orderedReal(uint64 bits) internal pure returns (bytes memory) {
        return abi.encodePacked(uint8(2), bits >> 63 == 0 ? bits | (uint64(1) << 63) : ~bits);
    }

    /// @dev The tag, the bytes with every 00 as 00 FF, then 00.
    function orderedString(uint8 tag, bytes memory data) internal pure returns (bytes memory result) {
        uint256 zeros = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] == 0) {
                ++zeros;
            }
        }
        result = new bytes(data.length + zeros + 2);
        result[0] = bytes1(tag);
        uint256 pos = 1;
        for (uint256 i = 0; i < data.length; ++i) {
            result[pos++] = data[i];
            if (data[i] == 0) {
                result[pos++] = 0xff;
            }
        }
    }

    /// @dev Head of a canonical item.
    function head(uint8 major, uint256 value) internal pure returns (bytes memory) {
        uint8 kind = major << 5;
        if (value < 24) {
            return abi.encodePacked(kind | uint8(value));
        }
        if (value < 0x100) {
            return abi.encodePacked(kind | 24, uint8(value));
        }
        if (value < 0x10000) {
            return abi.encodePacked(kind | 25, uint16(value));
        }
        if (value < 0x100000000) {
            return abi.encodePacked(kind | 26, uint32(value));
        }
        return abi.encodePacked(kind | 27, uint64(value));
    }

    function _head(bytes memory data, uint256 pos) private pure returns (uint256 major, uint256 value, uint256 next) {
        uint256 first = _byte(data, pos);
        (major, value, next) = (first >> 5, first & 31, pos + 1);
        if (major > ARRAY || value > 27) {
            revert NotARow();
        }
        if (value < 24) {
            return (major, value, next);
        }
        uint256 length = 1 << (value - 24);
        return (major, _part(data, next, length), next + length);
    }

    /// @dev Big-endian integer of `length` bytes at `pos`, for 8 bytes and fewer; as left-aligned bytes8 for reals use all 8.
    function _part(bytes memory data, uint256 pos, uint256 length) private pure returns (uint64 value) {
        if (pos + length > data.length) {
            revert NotARow();
        }
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, length)), mload(add(add(data, 0x20), pos)))
        }
    }

    function _byte(bytes memory data, uint256 pos) private pure returns (uint256) {
        if (pos >= data.length) {
            revert NotARow();
        }
        return uint8(data[pos]);
    }

    function _integer(bytes memory data, uint256 pos, uint256 index) private pure returns (int256) {
        (uint256 major, uint256 value,) = _head(data, pos);
        if (major == UINT) {
            return int256(value);
        }
        if (major != NEGATIVE) {
            revert WrongType(index);
        }
        return -1 - int256(value);
    }

    function _string(bytes memory row, uint256 index, uint256 wanted) private pure returns (bytes memory) {
        (uint256 major, uint256 length, uint256 first) = _head(row, column(row, 0, index));
        if (major != wanted) {
            revert WrongType(index);
        }
        return _slice(row, first, length);
    }

    function _slice(bytes memory data, uint256 pos, uint256 length) private pure returns (bytes memory result) {
        if (length > data.length || pos > data.length - length) {
            revert NotARow();
        }
        result = new bytes(length);
        assembly ("memory-safe") {
            mcopy(add(result, 0x20), add(add(data, 0x20), pos), length)
        }
    }
}
