// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BinaryMerkle} from "../../../contracts/libraries/BinaryMerkle.sol";
import {Eip712} from "../../../contracts/libraries/Eip712.sol";
import {Packed} from "../../../contracts/libraries/Packed.sol";
import {PicoloHashes} from "../../../contracts/libraries/PicoloHashes.sol";
import {WriterSignature} from "../../../contracts/libraries/WriterSignature.sol";
import {Vm} from "./Base.sol";

/// @title Signatures of writers, their own and shared ones, with any contents
contract WriterSignatureFuzz {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    bytes32 private constant DOMAIN = keccak256("a network");
    uint96 private constant NOT_AFTER = 7;

    // external, so that the libraries see calldata

    function isBy(bytes32 transaction, address writer, bytes calldata packed) external view returns (bool) {
        uint256 pos = Packed.start(packed);
        uint256 length = WriterSignature.lengthAt(packed, pos);
        Packed.finish(packed, pos + length);
        return WriterSignature.isBy(DOMAIN, transaction, writer, pos, length);
    }

    function rootFrom(bytes32 leaf, uint256 index, bytes calldata path) external view returns (bytes32 root) {
        (root,) = BinaryMerkle.rootFrom(leaf, index, Packed.start(path));
    }

    function testFuzz_ownSignatureIsItsWritersAlone(uint256 key, bytes32 transaction) public view {
        key = 1 + key % (ORDER - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, transaction);
        bytes memory packed = abi.encodePacked(r, s, v);
        require(this.isBy(transaction, vm.addr(key), packed), "writer");
        require(!this.isBy(~transaction, vm.addr(key), packed), "another transaction");
        require(!this.isBy(transaction, address(uint160(vm.addr(key)) ^ 1), packed), "another writer");
    }

    function testFuzz_shareOfABatchIsItsWritersAlone(uint256 key, bytes32 transaction, uint256 count, uint256 index, bytes32 noise) public view {
        key = 1 + key % (ORDER - 1);
        count = 1 + count % 64;
        index %= count;
        bytes memory path = _path(count, noise);
        bytes memory signature = _sign(key, this.rootFrom(BinaryMerkle.leafOfWord(transaction), index, path), uint32(count));
        address writer = vm.addr(key);
        require(this.isBy(transaction, writer, _pack(signature, count, NOT_AFTER, index, path)), "writer");
        require(!this.isBy(~transaction, writer, _pack(signature, count, NOT_AFTER, index, path)), "another transaction");
        require(!this.isBy(transaction, address(uint160(writer) ^ 1), _pack(signature, count, NOT_AFTER, index, path)), "another writer");
        require(!this.isBy(transaction, writer, _pack(signature, count, NOT_AFTER + 1, index, path)), "another expiry");
        require(!this.isBy(transaction, writer, _pack(signature, count + 1, NOT_AFTER, index, path)), "another count");
        require(!this.isBy(transaction, writer, _pack(signature, count, NOT_AFTER, index + 1, path)), "another place");
        require(!this.isBy(transaction, writer, _pack(signature, count, NOT_AFTER, index, _path(2 * count, noise))), "a longer way");
    }

    function testFuzz_noiseIsNobodys(bytes32 transaction, address writer, bytes32 noise, uint32 count, uint32 index, uint8 levels) public view {
        vm.assume(writer != address(0));
        bytes memory path = abi.encodePacked(levels);
        for (uint256 i = 0; i < levels; ++i) {
            path = abi.encodePacked(path, keccak256(abi.encode(noise, i)));
        }
        bytes memory signature = abi.encodePacked(noise, uint256(noise) >> 1, uint8(27 + levels % 2));
        require(!this.isBy(transaction, writer, _pack(signature, count, NOT_AFTER, index, path)), "batch");
        require(!this.isBy(transaction, writer, signature), "own");
    }

    /// @dev depth ‖ siblings of a tree over `count` leaves.
    function _path(uint256 count, bytes32 noise) private pure returns (bytes memory path) {
        uint8 depth = 0;
        for (uint256 width = 1; width < count; width <<= 1) {
            path = abi.encodePacked(path, keccak256(abi.encode(noise, depth)));
            ++depth;
        }
        path = abi.encodePacked(depth, path);
    }

    function _sign(uint256 key, bytes32 root, uint32 count) private view returns (bytes memory) {
        bytes32 structHash = PicoloHashes.hash(PicoloHashes.TxBatch(vm.addr(key), root, count, NOT_AFTER));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, Eip712.digest(DOMAIN, structHash));
        return abi.encodePacked(r, s, v);
    }

    function _pack(bytes memory signature, uint256 count, uint96 notAfter, uint256 index, bytes memory path)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(signature, uint32(count), notAfter, uint32(index), path);
    }
}
