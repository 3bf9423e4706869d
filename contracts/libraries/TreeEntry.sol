// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Packed} from "./Packed.sol";
import {PrefixTree} from "./PrefixTree.sol";

/**
 * @title What a state root says about one path (oracle §2)
 * @notice Packed: form(1), then by form: 0 present: proof of the path; 1 absent: path of another leaf(32) ‖ its proof;
 * 2 absent in the empty tree: nothing. Proofs are those of `PrefixTree`.
 */
library TreeEntry {
    /// @notice The proof does not lead to the root, or does not show what it says about the path.
    error BadProof();

    uint256 private constant PRESENT = 0;
    uint256 private constant ABSENT = 1;
    uint256 private constant EMPTY = 2;

    struct Entry {
        bool present;
        bytes32 rowHash; // zero when absent
        uint256 rank; // leaves before the path
        uint256 count; // leaves of the whole tree
        uint256 next; // calldata position after the entry
    }

    /// @dev Reads and checks the entry for `path` under `root` at calldata position `pos`.
    function read(bytes32 root, bytes32 path, uint256 pos) internal view returns (Entry memory entry) {
        uint256 form = Packed.u8(pos++);
        if (form == EMPTY) {
            if (root != 0) {
                revert BadProof();
            }
            entry.next = pos;
            return entry;
        }
        if (form == PRESENT) {
            return _present(root, path, pos);
        }
        if (form != ABSENT) {
            revert BadProof();
        }
        return _absent(root, path, pos);
    }

    function _present(bytes32 root, bytes32 path, uint256 pos) private view returns (Entry memory) {
        PrefixTree.Result memory tree = PrefixTree.walk(path, pos);
        if (tree.root != root) {
            revert BadProof();
        }
        return Entry(true, tree.rowHash, tree.rank, tree.count, tree.next);
    }

    function _absent(bytes32 root, bytes32 path, uint256 pos) private view returns (Entry memory) {
        PrefixTree.Result memory tree = PrefixTree.walk(Packed.word(pos), pos + 32);
        if (tree.root != root || !PrefixTree.excludes(tree, path)) {
            revert BadProof();
        }
        return Entry(false, 0, PrefixTree.rankOfExcluded(tree, path, pos + 32), tree.count, tree.next);
    }
}
