// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PrefixTree} from "./PrefixTree.sol";

/**
 * @title Rebuilding a state root from consecutive leaves (state-tree TREE-20 to TREE-23)
 * @notice The paths of neighbouring leaves fix the branchings between them, so leaves in order, with the siblings to their left and
 * right, rebuild the whole tree: nothing between them can be missing. `push` takes subtrees from left to right.
 */
library PrefixRange {
    /// @dev Subtrees that wait for their right neighbour; their gaps rise, so there are never more than 257.
    struct Stack {
        bytes32[] hashes;
        uint256[] counts;
        uint256[] gaps;
        uint256 size;
    }

    uint256 private constant MOST = 258;

    function start() internal pure returns (Stack memory stack) {
        (stack.hashes, stack.counts, stack.gaps) = (new bytes32[](MOST), new uint256[](MOST), new uint256[](MOST));
    }

    /// @dev Adds a subtree that branches off its left neighbour at bit `gap` (anything for the first).
    function push(Stack memory stack, bytes32 hash, uint256 count, uint256 gap) internal pure {
        while (stack.size > 1 && stack.gaps[stack.size - 1] > gap) {
            _close(stack);
        }
        if (stack.size > 1 && stack.gaps[stack.size - 1] == gap) {
            revert PrefixTree.BadTreeProof();
        }
        uint256 top = stack.size++;
        (stack.hashes[top], stack.counts[top], stack.gaps[top]) = (hash, count, gap);
    }

    /// @dev Root over everything pushed; zero for nothing.
    function root(Stack memory stack) internal pure returns (bytes32) {
        if (stack.size == 0) {
            return 0;
        }
        while (stack.size > 1) {
            _close(stack);
        }
        return stack.hashes[0];
    }

    /// @dev Hash of a leaf. Requirements: the row hash cannot pass as the meta of a node.
    function leaf(bytes32 path, bytes32 rowHash) internal pure returns (bytes32) {
        if (uint256(rowHash) << 80 == 0) {
            revert PrefixTree.BadTreeProof();
        }
        return sha256(abi.encodePacked(path, rowHash));
    }

    /// @dev First bit in which two different paths differ, 0 = the highest.
    function parting(bytes32 a, bytes32 b) internal pure returns (uint256 depth) {
        uint256 difference = uint256(a ^ b);
        for (uint256 width = 128; width != 0; width >>= 1) {
            if (difference >> (256 - width) == 0) {
                difference <<= width;
                depth += width;
            }
        }
    }

    function _close(Stack memory stack) private pure {
        uint256 right = stack.size - 1;
        uint256 left = right - 1;
        uint256 count = stack.counts[left] + stack.counts[right];
        bytes32 inner = sha256(abi.encodePacked(stack.hashes[left], stack.hashes[right]));
        bytes32 meta = bytes32((stack.gaps[right] << 240) | (count << 176));
        (stack.hashes[left], stack.counts[left], stack.size) = (sha256(abi.encodePacked(inner, meta)), count, right);
    }
}
