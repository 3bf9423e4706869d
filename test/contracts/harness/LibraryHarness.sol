// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BinaryMerkle} from "../../../contracts/libraries/BinaryMerkle.sol";
import {Eip712} from "../../../contracts/libraries/Eip712.sol";
import {Packed} from "../../../contracts/libraries/Packed.sol";
import {PrefixTree} from "../../../contracts/libraries/PrefixTree.sol";
import {Quorum} from "../../../contracts/libraries/Quorum.sol";
import {SignatureLib} from "../../../contracts/libraries/SignatureLib.sol";

/// @title The libraries, callable from a test
contract LibraryHarness {
    function digest(address vault, bytes32 message) external view returns (bytes32) {
        return Eip712.digest(Eip712.separator(vault), message);
    }

    function recover(bytes32 hash, bytes calldata signature) external view returns (address) {
        return SignatureLib.recover(hash, signature);
    }

    function rootFrom(bytes32 leaf, uint256 index, bytes calldata path) external view returns (bytes32 root) {
        uint256 next;
        (root, next) = BinaryMerkle.rootFrom(leaf, index, Packed.start(path));
        Packed.finish(path, next);
    }

    function leafOfWord(bytes32 word) external view returns (bytes32) {
        return BinaryMerkle.leafOfWord(word);
    }

    function leafOfItem(bytes32 path, bytes32 version, uint256 mode) external view returns (bytes32) {
        return BinaryMerkle.leafOfItem(path, version, mode);
    }

    function walk(bytes32 path, bytes calldata proof) public view returns (PrefixTree.Result memory result) {
        result = PrefixTree.walk(path, Packed.start(proof));
        Packed.finish(proof, result.next);
    }

    /// @dev Rank that an excluded `wanted` would have; reverts when the proof does not exclude it.
    function excluded(bytes32 wanted, bytes32 path, bytes calldata proof) external view returns (uint256) {
        PrefixTree.Result memory result = walk(path, proof);
        require(PrefixTree.excludes(result, wanted), "not excluded");
        return PrefixTree.rankOfExcluded(result, wanted, Packed.start(proof));
    }

    function quorum(uint256 size) external pure returns (uint256) {
        return Quorum.needed(size);
    }

    function checkQuorum(bytes32 hash, bytes calldata roster, bytes calldata certificate) external view {
        Packed.finish(certificate, Quorum.check(hash, Packed.start(roster), roster.length / 20, Packed.start(certificate)));
    }

    function integer(bytes calldata data, uint256 length) external pure returns (uint256) {
        return Packed.integer(Packed.start(data), length);
    }
}
