// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title All seats in an order that a seed decides
 * @notice A permutation of [0, size) of which any place can be computed alone: Feistel rounds over the next even number of bits, walked
 * until the value falls into the range. So a committee needs no list in storage, and a draw that passes over seats comes to an end
 * exactly when it has seen all of them.
 */
library SeatOrder {
    uint256 private constant ROUNDS = 6;

    /// @dev Seat at `place` of the order. Requirements: `place` < `size`. At most four walks on average.
    function seatAt(bytes32 seed, uint256 place, uint256 size) internal pure returns (uint256 seat) {
        uint256 half = 1;
        while (1 << (2 * half) < size) {
            ++half;
        }
        seat = place;
        do {
            seat = _mixed(seed, seat, half);
        } while (seat >= size);
    }

    /// @dev A permutation of 2 * `half` bits.
    function _mixed(bytes32 seed, uint256 value, uint256 half) private pure returns (uint256) {
        uint256 mask = (1 << half) - 1;
        (uint256 left, uint256 right) = (value >> half, value & mask);
        for (uint256 round = 0; round < ROUNDS; ++round) {
            (left, right) = (right, left ^ (_hash(seed, round << 128 | right) & mask));
        }
        return left << half | right;
    }

    function _hash(bytes32 seed, uint256 word) private pure returns (uint256 result) {
        assembly ("memory-safe") {
            mstore(0x00, seed)
            mstore(0x20, word)
            result := keccak256(0x00, 0x40)
        }
    }
}
