// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Packed} from "./Packed.sol";
import {SignatureLib} from "./SignatureLib.sol";

/**
 * @title Rosters and quorums
 * @notice A roster is the signer addresses of one membership epoch, ascending, 20 bytes each; a replica's index is
 * its place in it. f = floor((n - 1) / 3), a quorum is n - f. A certificate is packed as a bitmap of the signers
 * (8 bytes, bit i = index i) followed by one compact signature (64 bytes) per set bit, lowest index first.
 */
library Quorum {
    /// @notice Fewer signers than a quorum.
    error NoQuorum(uint256 have, uint256 need);
    /// @notice A signature of the certificate does not belong to the roster's member at that index.
    error NotSigned(uint256 index);

    uint256 internal constant MAX_SIZE = 64;

    /// @dev Faults that a roster of `size` tolerates.
    function maxFaulty(uint256 size) internal pure returns (uint256) {
        return (size - 1) / 3;
    }

    /// @dev Signatures that make a certificate; never 2f + 1, which is wrong for 5 and 6.
    function needed(uint256 size) internal pure returns (uint256) {
        return size - maxFaulty(size);
    }

    /// @dev Truncated hash of a packed roster: shares a storage slot with the end of its epoch.
    function digestOf(bytes memory roster) internal pure returns (uint192) {
        return uint192(uint256(keccak256(roster)));
    }

    /// @dev Same for `size` addresses packed at calldata position `pos`.
    function digestAt(uint256 pos, uint256 size) internal pure returns (uint192) {
        return uint192(uint256(Packed.keccak(pos, size * 20)));
    }

    /**
     * @dev Checks the certificate over `digest` at calldata position `pos`.
     * Requirements: every set bit is an index of the roster and its signature is that member's; at least a quorum of them.
     * @return next the position after the certificate
     */
    function check(bytes32 digest, uint256 rosterAt, uint256 size, uint256 pos) internal view returns (uint256 next) {
        uint256 bits = Packed.u64(pos);
        next = pos + 8;
        uint256 have = 0;
        for (uint256 i = 0; bits != 0; ++i) {
            if (bits & 1 == 1) {
                if (i >= size) {
                    revert NotSigned(i);
                }
                address signer = SignatureLib.recoverCompact(digest, Packed.word(next), Packed.word(next + 32));
                if (signer == address(0) || signer != Packed.account(rosterAt + i * 20)) {
                    revert NotSigned(i);
                }
                next += 64;
                ++have;
            }
            bits >>= 1;
        }
        if (have < needed(size)) {
            revert NoQuorum(have, needed(size));
        }
    }
}
