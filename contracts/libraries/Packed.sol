// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Reading packed evidence from calldata
 * @notice A position is an absolute calldata offset. Readers do not check bounds: beyond calldata they see
 * zeros, and every parser ends by comparing its position with the end of the evidence, so that a
 * truncated or a padded statement is refused as a whole.
 */
library Packed {
    /// @notice The evidence does not have the length that its contents say.
    error WrongLength(uint256 read, uint256 given);

    /// @dev First position of `data`.
    function start(bytes calldata data) internal pure returns (uint256 pos) {
        assembly ("memory-safe") {
            pos := data.offset
        }
    }

    /// @dev Requirements: a parser that began at `data` stopped exactly at its end.
    function finish(bytes calldata data, uint256 pos) internal pure {
        uint256 first = start(data);
        if (pos != first + data.length) {
            revert WrongLength(pos - first, data.length);
        }
    }

    /// @dev 32 bytes at `pos`.
    function word(uint256 pos) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := calldataload(pos)
        }
    }

    /// @dev Big-endian integer of `length` bytes at `pos`, 1 to 32.
    function integer(uint256 pos, uint256 length) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, length)), calldataload(pos))
        }
    }

    function u8(uint256 pos) internal pure returns (uint8) {
        return uint8(integer(pos, 1));
    }

    function u32(uint256 pos) internal pure returns (uint32) {
        return uint32(integer(pos, 4));
    }

    function u64(uint256 pos) internal pure returns (uint64) {
        return uint64(integer(pos, 8));
    }

    function account(uint256 pos) internal pure returns (address) {
        return address(uint160(integer(pos, 20)));
    }

    /// @dev `length` bytes at `pos`, in memory.
    function copy(uint256 pos, uint256 length) internal pure returns (bytes memory result) {
        result = new bytes(length);
        assembly ("memory-safe") {
            calldatacopy(add(result, 0x20), pos, length)
        }
    }

    /// @dev keccak of `length` bytes at `pos`.
    function keccak(uint256 pos, uint256 length) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let to := mload(0x40)
            calldatacopy(to, pos, length)
            result := keccak256(to, length)
        }
    }

    /// @dev SHA-256 of `length` bytes at `pos`.
    function sha(uint256 pos, uint256 length) internal view returns (bytes32 result) {
        assembly ("memory-safe") {
            let to := mload(0x40)
            calldatacopy(to, pos, length)
            pop(staticcall(gas(), 2, to, length, 0x00, 0x20))
            result := mload(0x00)
        }
    }
}
