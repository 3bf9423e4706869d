// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Thousands of vectors in a few calls, without the cost of ABI coding
contract BatchHarness {
    /**
     * @dev Takes target(20) ‖ calls, each with 4 bytes of length before it. Gives for each in turn one byte (zero: it reverted), 4 bytes of
     * length and what it returned.
     */
    fallback(bytes calldata packed) external returns (bytes memory outcomes) {
        address target = address(bytes20(packed[:20]));
        uint256 at = 20;
        while (at < packed.length) {
            uint256 end = at + 4 + uint32(bytes4(packed[at:at + 4]));
            (bool done, bytes memory result) = target.staticcall(packed[at + 4:end]);
            outcomes = bytes.concat(outcomes, bytes1(done ? 1 : 0), bytes4(uint32(result.length)), result);
            at = end;
        }
    }
}
