// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BinaryMerkle} from "../../../contracts/libraries/BinaryMerkle.sol";
import {Packed} from "../../../contracts/libraries/Packed.sol";
import {PrefixRange} from "../../../contracts/libraries/PrefixRange.sol";
import {PrefixTree} from "../../../contracts/libraries/PrefixTree.sol";
import {Quorum} from "../../../contracts/libraries/Quorum.sol";
import {SignatureLib} from "../../../contracts/libraries/SignatureLib.sol";
import {Vm} from "./Base.sol";

contract LibraryFuzz {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    // external, so that the libraries see calldata

    function integerAt(bytes calldata data, uint256 from, uint256 length) external pure returns (uint256) {
        return Packed.integer(Packed.start(data) + from, length);
    }

    function finishAt(bytes calldata data, uint256 from) external pure {
        Packed.finish(data, Packed.start(data) + from);
    }

    function recover(bytes32 digest, bytes calldata signature) external view returns (address) {
        return SignatureLib.recover(digest, signature);
    }

    function rootFrom(bytes32 leaf, uint256 index, bytes calldata path) external view returns (bytes32 root) {
        (root,) = BinaryMerkle.rootFrom(leaf, index, Packed.start(path));
    }

    function walk(bytes32 path, bytes calldata proof) external view returns (PrefixTree.Result memory) {
        return PrefixTree.walk(path, Packed.start(proof));
    }

    function excludes(bytes32 path, bytes32 wanted, bytes calldata proof) external view returns (bool out, uint256 rank) {
        PrefixTree.Result memory result = PrefixTree.walk(path, Packed.start(proof));
        out = PrefixTree.excludes(result, wanted);
        rank = out ? PrefixTree.rankOfExcluded(result, wanted, Packed.start(proof)) : 0;
    }

    function testFuzz_integersOfEveryWidth(bytes32 value, uint8 width, uint8 offset) public view {
        uint256 length = 1 + width % 32;
        bytes memory data = bytes.concat(new bytes(offset), value);
        require(this.integerAt(data, offset, length) == uint256(value) >> (256 - 8 * length), "big-endian");
    }

    function testFuzz_finishTakesOnlyTheEnd(bytes calldata data, uint16 from) public {
        if (from != data.length) {
            vm.expectRevert(abi.encodeWithSelector(Packed.WrongLength.selector, from, data.length));
        }
        this.finishAt(data, from);
    }

    function testFuzz_bothFormsRecover(uint256 key, bytes32 digest) public view {
        key = 1 + key % (ORDER - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        bytes32 packed = bytes32(uint256(s) | (uint256(v - 27) << 255));
        require(this.recover(digest, abi.encodePacked(r, s, v)) == vm.addr(key), "65 bytes");
        require(this.recover(digest, abi.encodePacked(r, packed)) == vm.addr(key), "compact");
    }

    function testFuzz_malleatedTwinRecoversToNobody(uint256 key, bytes32 digest) public view {
        key = 1 + key % (ORDER - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        require(this.recover(digest, abi.encodePacked(r, ORDER - uint256(s), v == 27 ? uint8(28) : uint8(27))) == address(0), "high s");
    }

    function testFuzz_otherLengthsRecoverToNobody(bytes32 digest, bytes calldata noise) public view {
        vm.assume(noise.length != 64 && noise.length != 65);
        require(this.recover(digest, noise) == address(0), "length");
    }

    function testFuzz_quorumsMeetInAnHonestMember(uint8 size) public pure {
        uint256 n = 1 + size % 64;
        uint256 f = Quorum.maxFaulty(n);
        require(3 * f < n, "f below a third");
        require(2 * Quorum.needed(n) - n >= f + 1, "two quorums share one beyond f");
        require(Quorum.needed(n) + f == n, "f may be silent");
    }

    function testFuzz_batchTree(uint8 size, uint8 at, bytes32 seed) public view {
        uint256 n = 1 + size % 40;
        uint256 index = at % n;
        bytes32[] memory level = leaves(n, seed);
        bytes32 leaf = level[index];
        (bytes32 root, bytes memory path) = treeOf(level, index);
        require(this.rootFrom(leaf, index, path) == root, "its path leads to the root");
        if (level.length > 1) {
            uint256 bent = 1 + uint256(seed) % (path.length - 1);
            path[bent] ^= 0x01;
            require(this.rootFrom(leaf, index, path) != root, "a bent sibling does not");
        }
    }

    function testFuzz_batchTreeIndexMustFit(uint8 depth, uint256 index) public {
        uint256 d = depth % 33;
        vm.assume(index >> d != 0);
        bytes memory path = bytes.concat(bytes1(uint8(d)), new bytes(32 * d));
        vm.expectRevert(abi.encodeWithSelector(BinaryMerkle.BadIndex.selector, index, d));
        this.rootFrom(0, index, path);
    }

    function leaves(uint256 n, bytes32 seed) private view returns (bytes32[] memory level) {
        uint256 width = 1;
        while (width < n) {
            width *= 2;
        }
        level = new bytes32[](width);
        for (uint256 i = 0; i < n; ++i) {
            level[i] = BinaryMerkle.leafOfWord(keccak256(abi.encode(seed, i)));
        }
    }

    /// @dev Reference: level by level, in memory.
    function treeOf(bytes32[] memory level, uint256 index) private pure returns (bytes32 root, bytes memory path) {
        uint8 depth = 0;
        while (level.length > 1) {
            path = bytes.concat(path, level[index ^ 1]);
            bytes32[] memory next = new bytes32[](level.length / 2);
            for (uint256 i = 0; i < next.length; ++i) {
                next[i] = sha256(abi.encodePacked(uint8(1), level[2 * i], level[2 * i + 1]));
            }
            (level, index) = (next, index / 2);
            ++depth;
        }
        return (level[0], bytes.concat(bytes1(depth), path));
    }

    function pushTwice(bytes32 hash, uint256 gap) external pure {
        PrefixRange.Stack memory stack = PrefixRange.start();
        PrefixRange.push(stack, hash, 1, 0);
        PrefixRange.push(stack, hash, 1, gap);
        PrefixRange.push(stack, hash, 1, gap);
    }

    function testFuzz_noTreeBranchesTwiceAtOneBit(bytes32 hash, uint8 gap) public {
        vm.expectRevert(PrefixTree.BadTreeProof.selector);
        this.pushTwice(hash, gap);
    }

    function test_nothingHasTheEmptyRoot() public pure {
        require(PrefixRange.root(PrefixRange.start()) == 0, "no rows, no root");
    }

    /// @dev Root of a tree of two rows, and the proof of the first.
    function twoLeaves(bytes32 a, bytes32 b, bytes32 rowA, bytes32 rowB) private pure returns (bytes32 root, bytes memory proof) {
        uint256 depth = firstDifference(a, b);
        bytes32 hashA = sha256(abi.encodePacked(a, rowA));
        bytes32 hashB = sha256(abi.encodePacked(b, rowB));
        bytes32 inner = sha256(uint256(a) < uint256(b) ? abi.encodePacked(hashA, hashB) : abi.encodePacked(hashB, hashA));
        root = sha256(abi.encodePacked(inner, uint16(depth), uint64(2), bytes22(0)));
        proof = abi.encodePacked(rowA, uint8(1), uint8(depth), uint40(1), hashB);
    }

    function testFuzz_twoLeaves(bytes32 a, bytes32 b, bytes32 wanted, bytes32 rowA, bytes32 rowB) public view {
        vm.assume(a != b && uint256(rowA) << 80 != 0 && uint256(rowB) << 80 != 0);
        bool aLeft = uint256(a) < uint256(b);
        (bytes32 root, bytes memory proof) = twoLeaves(a, b, rowA, rowB);
        PrefixTree.Result memory result = this.walk(a, proof);
        require(result.root == root && result.count == 2 && result.rank == (aLeft ? 0 : 1), "inclusion");
        (bool out, uint256 rank) = this.excludes(a, wanted, proof);
        if (wanted == a || wanted == b) {
            require(!out, "a key that is there is never excluded");
        } else if (firstDifference(wanted, a) == firstDifference(a, b)) {
            require(!out, "this proof says nothing about the sibling's side");
        } else {
            require(out, "off the leaf's own edge");
            require(rank == (uint256(a) < uint256(wanted) ? 1 : 0) + (uint256(b) < uint256(wanted) ? 1 : 0), "rank");
        }
    }

    function testFuzz_aNodeNeverPosesAsALeaf(bytes32 inner, uint8 depth, uint64 count) public {
        bytes32 meta = bytes32(abi.encodePacked(uint16(depth), count, bytes22(0)));
        vm.expectRevert(PrefixTree.BadTreeProof.selector);
        this.walk(inner, abi.encodePacked(meta, uint8(0)));
    }

    function testFuzz_depthsMustFall(uint8 first, uint8 second, uint40 count) public {
        vm.assume(count != 0 && second >= first);
        bytes memory proof = abi.encodePacked(
            bytes32(type(uint256).max), uint8(2), first, count, bytes32(uint256(1)), second, count, bytes32(uint256(2))
        );
        vm.expectRevert(PrefixTree.BadTreeProof.selector);
        this.walk(0, proof);
    }

    function testFuzz_everyByteOfAProofCounts(bytes32 path, bytes32 row, bytes32 sibling, uint8 depth, uint40 count, uint16 at) public view {
        vm.assume(uint256(row) << 80 != 0 && count != 0);
        bytes memory proof = abi.encodePacked(row, uint8(1), depth, count, sibling);
        bytes32 root = this.walk(path, proof).root;
        uint256 bent = at % proof.length;
        vm.assume(bent != 32); // the number of steps: the parser's length check
        proof[bent] ^= 0x01;
        try this.walk(path, proof) returns (PrefixTree.Result memory result) {
            require(result.root != root, "another proof, another root");
        } catch {}
    }

    function firstDifference(bytes32 a, bytes32 b) private pure returns (uint256 depth) {
        uint256 difference = uint256(a ^ b);
        while ((difference >> (255 - depth)) & 1 == 0) {
            ++depth;
        }
    }
}
