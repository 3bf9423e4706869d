// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Proofs of the state tree (architecture §3)
 * @notice A Merkle prefix tree over 256-bit paths without single-child chains:
 * leaf = H(path ‖ rowHash), node = H( H(left ‖ right) ‖ meta ), meta = uint16 depth ‖ uint64 count ‖ 22 zero bytes,
 * the empty tree is zero, H is SHA-256. A proof is a terminal leaf and, from bottom to top, the branching
 * depth, the sibling and the number of leaves under the sibling. One walk yields inclusion, absence and
 * the rank of the leaf.
 *
 * Packed: rowHash of the terminal leaf(32) ‖ steps(1) ‖ steps * ( depth(1) ‖ siblingCount(5) ‖ sibling(32) ); the path of
 * the terminal leaf comes from the caller.
 *
 * A leaf and a node are both hashes of 64 bytes. What keeps them apart is the second half: of a node it
 * ends in 22 zero bytes, of a leaf it is a hash. Without that check somebody could pass off a node as a
 * leaf at the path H(left ‖ right) and "prove" keys below it absent.
 */
library PrefixTree {
    /// @notice Not a proof of this tree: depths do not fall towards the root, a sibling is empty, or a node poses as a leaf.
    error BadTreeProof();

    /// @dev Bytes of one packed step.
    uint256 private constant STEP = 38;

    struct Result {
        bytes32 root;
        bytes32 path; // of the terminal leaf
        bytes32 rowHash; // of the terminal leaf
        uint256 depths; // bit (255 - d) is set when the terminal leaf's way branches at depth d
        uint256 rank; // leaves left of the terminal leaf
        uint256 count; // leaves of the whole tree
        uint256 next; // calldata position after the proof
    }

    /// @dev Walks the packed proof at calldata position `pos` for the terminal leaf at `path`.
    function walk(bytes32 path, uint256 pos) internal view returns (Result memory result) {
        bytes32 rowHash;
        uint256 steps;
        assembly ("memory-safe") {
            rowHash := calldataload(pos)
            steps := byte(0, calldataload(add(pos, 0x20)))
            pos := add(pos, 0x21)
        }
        if (uint256(rowHash) << 80 == 0) {
            revert BadTreeProof(); // meta of a node, or the zero row hash that only absence has
        }
        (result.path, result.rowHash) = (path, rowHash);
        _climb(result, pos, steps);
        result.next = pos + steps * STEP;
    }

    function _climb(Result memory result, uint256 pos, uint256 steps) private view {
        (bytes32 path, uint256 depths, uint256 rank, uint256 count, bytes32 node) = (result.path, 0, 0, 1, 0);
        bool fine;
        assembly ("memory-safe") {
            let to := mload(0x40)
            mstore(to, path)
            mstore(add(to, 0x20), mload(add(result, 0x40)))
            fine := staticcall(gas(), 2, to, 0x40, 0x00, 0x20)
            let below := 256 // depths fall strictly towards the root
            for { let end := add(pos, mul(steps, 38)) } lt(pos, end) { pos := add(pos, 38) } {
                let head := calldataload(pos)
                let depth := byte(0, head)
                let siblings := and(shr(208, head), 0xffffffffff)
                fine := and(fine, and(lt(depth, below), gt(siblings, 0)))
                below := depth
                let right := and(shr(sub(255, depth), path), 1)
                depths := or(depths, shl(sub(255, depth), 1))
                rank := add(rank, mul(right, siblings))
                count := add(count, siblings)
                // inner = H(left ‖ right), then node = H(inner ‖ meta)
                mstore(add(to, shl(5, right)), mload(0x00))
                mstore(add(to, shl(5, xor(right, 1))), calldataload(add(pos, 6)))
                pop(staticcall(gas(), 2, to, 0x40, to, 0x20))
                mstore(add(to, 0x20), or(shl(240, depth), shl(176, count)))
                pop(staticcall(gas(), 2, to, 0x40, 0x00, 0x20))
            }
            node := mload(0x00)
        }
        if (!fine) {
            revert BadTreeProof();
        }
        (result.root, result.depths, result.rank, result.count) = (node, depths, rank, count);
    }

    /**
     * @dev True when a walk that ended at another leaf shows that `path` is not in the tree: the first bit in
     * which they differ is none of the leaf's branching depths, so `path` would leave a compressed edge.
     */
    function excludes(Result memory result, bytes32 path) internal pure returns (bool) {
        uint256 difference = uint256(path ^ result.path);
        // the part of the difference that has its first bit is the larger number; both are zero when the paths are equal
        return difference & result.depths < difference & ~result.depths;
    }

    /// @dev Number of leaves left of where an excluded `path` would stand; `pos` is the proof's position again.
    function rankOfExcluded(Result memory result, bytes32 path, uint256 pos) internal pure returns (uint256 rank) {
        // siblings deeper than the point of departure belong to the leaf's side as a whole
        uint256 departure = _highestBit(uint256(path ^ result.path));
        bool after_ = uint256(path) & departure != 0;
        uint256 below = 1;
        for (pos += 33; pos < result.next; pos += STEP) {
            (uint256 bit, uint256 siblings) = _step(pos);
            bool left = uint256(result.path) & bit != 0;
            if (bit < departure) {
                below += siblings;
            } else if (left) {
                rank += siblings;
            }
        }
        if (after_) {
            rank += below;
        }
    }

    function _step(uint256 pos) private pure returns (uint256 bit, uint256 siblings) {
        assembly ("memory-safe") {
            let head := calldataload(pos)
            bit := shl(sub(255, byte(0, head)), 1)
            siblings := and(shr(208, head), 0xffffffffff)
        }
    }

    /// @dev The highest set bit of a non-zero word, alone.
    function _highestBit(uint256 value) private pure returns (uint256) {
        value |= value >> 1;
        value |= value >> 2;
        value |= value >> 4;
        value |= value >> 8;
        value |= value >> 16;
        value |= value >> 32;
        value |= value >> 64;
        value |= value >> 128;
        return value ^ (value >> 1);
    }
}
