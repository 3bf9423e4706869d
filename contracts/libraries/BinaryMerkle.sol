// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Fixed-position binary Merkle tree of batches, footprints and mutations (consensus §2.3)
 * @notice leaf = SHA-256(0x00 ‖ data), node = SHA-256(0x01 ‖ left ‖ right), padded with zero words to a power of
 * two. The tags keep leaves and nodes apart. A path is packed as depth(1) ‖ siblings(32 each),
 * bottom first; the bits of the leaf's index choose the sides.
 */
library BinaryMerkle {
    /// @notice The index does not fit a tree of that depth.
    error BadIndex(uint256 index, uint256 depth);

    /// @dev Deepest accepted path: 2^32 leaves are more than any limit allows.
    uint256 private constant MAX_DEPTH = 32;

    /// @dev Hash of a leaf whose data is one word.
    function leafOfWord(bytes32 data) internal view returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore8(0x00, 0)
            mstore(0x01, data)
            pop(staticcall(gas(), 2, 0x00, 0x21, 0x00, 0x20))
            result := mload(0x00)
        }
    }

    /// @dev Hash of a footprint item: path ‖ version ‖ mode byte.
    function leafOfItem(bytes32 path, bytes32 version, uint256 mode) internal view returns (bytes32 result) {
        assembly ("memory-safe") {
            let pos := mload(0x40)
            mstore8(pos, 0)
            mstore(add(pos, 0x01), path)
            mstore(add(pos, 0x21), version)
            mstore8(add(pos, 0x41), mode)
            pop(staticcall(gas(), 2, pos, 0x42, 0x00, 0x20))
            result := mload(0x00)
        }
    }

    /// @dev Id of an entry, H(0x02 ‖ txId(32) ‖ ts(12) ‖ footprintRoot), whose first two fields are at calldata `pos`.
    function entryId(uint256 pos, bytes32 footprintRoot) internal view returns (bytes32 result) {
        assembly ("memory-safe") {
            let to := mload(0x40)
            mstore8(to, 2)
            calldatacopy(add(to, 1), pos, 44)
            mstore(add(to, 45), footprintRoot)
            pop(staticcall(gas(), 2, to, 77, 0x00, 0x20))
            result := mload(0x00)
        }
    }

    /**
     * @dev Root that `leaf` at position `index` and the packed path at calldata `pos` lead to.
     * Requirements: `index` < 2^depth.
     * @return root the root
     * @return next the position after the path
     */
    function rootFrom(bytes32 leaf, uint256 index, uint256 pos) internal view returns (bytes32 root, uint256 next) {
        uint256 depth;
        assembly ("memory-safe") {
            depth := byte(0, calldataload(pos))
        }
        if (depth > MAX_DEPTH || index >> depth != 0) {
            revert BadIndex(index, depth);
        }
        assembly ("memory-safe") {
            pos := add(pos, 1)
            next := add(pos, shl(5, depth))
            let to := mload(0x40)
            mstore8(to, 1)
            root := leaf
            for {} lt(pos, next) { pos := add(pos, 0x20) } {
                let left := shl(5, and(index, 1)) // an odd position has its sibling on the left
                mstore(add(add(to, 1), left), root)
                mstore(add(to, sub(0x21, left)), calldataload(pos))
                pop(staticcall(gas(), 2, to, 0x41, 0x00, 0x20))
                root := mload(0x00)
                index := shr(1, index)
            }
        }
    }
}
