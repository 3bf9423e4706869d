// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Recovery of secp256k1 signers
 * @notice Keys of nodes and writers are plain accounts: a contract wallet could change its mind after it
 * signed, so ERC-1271 is never asked. Signatures are 65 bytes (r ‖ s ‖ v, v in {27, 28}) or compact
 * (r ‖ yParityAndS, ERC-2098); s must be in the lower half of the order. Everything else recovers to
 * the zero address, which no caller may accept.
 */
library SignatureLib {
    /// @dev Half of the group order: a larger s is the malleated twin of a valid signature.
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @dev Signer of `digest`, or zero.
    function recover(bytes32 digest, bytes calldata signature) internal view returns (address) {
        if (signature.length == 65) {
            uint256 pos;
            assembly ("memory-safe") {
                pos := signature.offset
            }
            return recover65(digest, pos);
        }
        if (signature.length == 64) {
            return recoverCompact(digest, bytes32(signature[0:32]), bytes32(signature[32:64]));
        }
        return address(0);
    }

    /// @dev Signer by the 65-byte form at calldata position `pos`, or zero.
    function recover65(bytes32 digest, uint256 pos) internal view returns (address) {
        uint256 v;
        bytes32 r;
        bytes32 s;
        assembly ("memory-safe") {
            r := calldataload(pos)
            s := calldataload(add(pos, 0x20))
            v := byte(0, calldataload(add(pos, 0x40)))
        }
        return v == 27 || v == 28 ? _recover(digest, v, r, s) : address(0);
    }

    /// @dev Signer by the compact form, or zero.
    function recoverCompact(bytes32 digest, bytes32 r, bytes32 yParityAndS) internal view returns (address) {
        uint256 word = uint256(yParityAndS);
        return _recover(digest, 27 + (word >> 255), r, bytes32((word << 1) >> 1));
    }

    function _recover(bytes32 digest, uint256 v, bytes32 r, bytes32 s) private view returns (address signer) {
        if (uint256(s) > HALF_ORDER) {
            return address(0);
        }
        assembly ("memory-safe") {
            let pos := mload(0x40)
            mstore(pos, digest)
            mstore(add(pos, 0x20), v)
            mstore(add(pos, 0x40), r)
            mstore(add(pos, 0x60), s)
            mstore(0x00, 0)
            // an invalid signature returns no data: the zero written above stays
            pop(staticcall(gas(), 1, pos, 0x80, 0x00, 0x20))
            signer := mload(0x00)
        }
    }
}
