// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Diffie-Hellman on secp256k1, checked by a contract
 * @notice `ecrecover` with message zero returns the address of (s/r)·R, where R is the point with x = r: with s = k·r it
 * evaluates k·R for a chosen k and R. So two calls check a claimed b·G and a claimed b·P for 3,000 gas each.
 */
library OneTimeKey {
    /// @dev The field of the curve.
    uint256 private constant FIELD = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
    /// @dev The order of the group.
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    /// @dev x of the generator; its y is even.
    uint256 private constant GENERATOR = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798;

    /// @dev True for a point of the curve whose x also works as `r` of a signature (all but one in 2^128).
    function isPoint(uint256 x, uint256 y) internal pure returns (bool) {
        if (x == 0 || x >= ORDER || y == 0 || y >= FIELD) {
            return false;
        }
        return mulmod(y, y, FIELD) == addmod(mulmod(x, mulmod(x, x, FIELD), FIELD), 7, FIELD);
    }

    /// @dev The account whose public key is the point.
    function addressOf(uint256 x, uint256 y) internal pure returns (address result) {
        assembly ("memory-safe") {
            mstore(0x00, x)
            mstore(0x20, y)
            result := and(keccak256(0x00, 0x40), 0xffffffffffffffffffffffffffffffffffffffff)
        }
    }

    /// @dev Address of `scalar`·G; zero for a scalar that is no secret key.
    function publicAddress(uint256 scalar) internal pure returns (address) {
        return _multiple(scalar, GENERATOR, 0);
    }

    /// @dev Address of `scalar`·(x, y); zero for a scalar that is no secret key or an x without a point.
    function sharedAddress(uint256 scalar, uint256 x, uint256 y) internal pure returns (address) {
        return _multiple(scalar, x, y & 1);
    }

    function _multiple(uint256 scalar, uint256 x, uint256 odd) private pure returns (address) {
        if (scalar == 0 || scalar >= ORDER) {
            return address(0);
        }
        return ecrecover(0, uint8(27 + odd), bytes32(x), bytes32(mulmod(scalar, x, ORDER)));
    }

    /// @dev What hides a key: keccak(shared point ‖ purchase).
    function mask(uint256 sharedX, uint256 sharedY, bytes32 purchase) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let pos := mload(0x40)
            mstore(pos, sharedX)
            mstore(add(pos, 0x20), sharedY)
            mstore(add(pos, 0x40), purchase)
            result := keccak256(pos, 0x60)
        }
    }
}
