// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BinaryMerkle} from "./BinaryMerkle.sol";
import {Eip712} from "./Eip712.sol";
import {Packed} from "./Packed.sol";
import {PicoloHashes} from "./PicoloHashes.sol";
import {SignatureLib} from "./SignatureLib.sol";

/**
 * @title How a writer vouches for a transaction (data DATA-45 to DATA-47)
 * @notice Packed as the 65 bytes of its own signature, or as its share of a batch signature:
 * signature(65) ‖ count(4) ‖ notAfter(12) ‖ index(4) ‖ depth(1) ‖ siblings(32 * depth), where the signature is over
 * `TxBatch` and the siblings lead from the transaction's id to its root.
 */
library WriterSignature {
    /// @dev Transactions under one signature, as `limits.transactionsPerSignature`.
    uint256 private constant MAX_COUNT = 64;
    uint256 private constant OWN = 65;
    uint256 private constant DEPTH_AT = 85;
    uint256 private constant BATCH = 86;

    /// @dev Bytes of the packed form at `pos` when it is the rest of `data`; the caller compares them with that rest.
    function lengthAt(bytes calldata data, uint256 pos) internal pure returns (uint256) {
        return pos + OWN == Packed.start(data) + data.length ? OWN : BATCH + 32 * uint256(Packed.u8(pos + DEPTH_AT));
    }

    /**
     * @dev True when the packed form of `length` bytes at calldata position `pos` is `writer`'s for `transaction`. Never reverts
     * for a form that is malformed: whoever presented it as a signature presented none.
     */
    function isBy(bytes32 domain, bytes32 transaction, address writer, uint256 pos, uint256 length) internal view returns (bool) {
        bytes32 digest = transaction;
        if (length != OWN) {
            (uint256 count, uint256 index, uint256 depth) = (Packed.u32(pos + 65), Packed.u32(pos + 81), Packed.u8(pos + DEPTH_AT));
            if (count == 0 || count > MAX_COUNT || index >= count || depth != _depthOf(count)) {
                return false;
            }
            (bytes32 root,) = BinaryMerkle.rootFrom(BinaryMerkle.leafOfWord(transaction), index, pos + DEPTH_AT);
            uint96 notAfter = uint96(Packed.integer(pos + 69, 12));
            digest = Eip712.digest(domain, PicoloHashes.hash(PicoloHashes.TxBatch(writer, root, uint32(count), notAfter)));
        }
        address signer = SignatureLib.recover65(digest, pos);
        return signer != address(0) && signer == writer;
    }

    /// @dev Levels of the tree over `count` leaves.
    function _depthOf(uint256 count) private pure returns (uint256 depth) {
        for (uint256 width = 1; width < count; width <<= 1) {
            ++depth;
        }
    }
}
