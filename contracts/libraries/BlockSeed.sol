// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BlockHeader} from "@openzeppelin/contracts/utils/BlockHeader.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";

/**
 * @title Randomness of one block that was fixed before it existed
 * @notice The beacon's randomness (prevRandao) of that very block, read later from its header. Who asks cannot choose
 * the block, and who proposes it can only forfeit its slot, one bit for a block reward.
 */
library BlockSeed {
    /// @notice The header is not that of the block, or the block is not in the chain's memory.
    error WrongHeader(uint256 number);

    /// @notice Blocks whose hash the chain remembers (EIP-2935).
    uint256 internal constant HISTORY = 8191;

    /// @dev Requirements: `header` is the RLP encoding of the header of block `number`, at most HISTORY blocks old.
    function read(uint256 number, bytes memory header) internal view returns (bytes32) {
        Memory.Slice[] memory fields = BlockHeader.parseHeader(header);
        if (BlockHeader.getNumber(fields) != number || !BlockHeader.verifyBlockHeader(fields, keccak256(header))) {
            revert WrongHeader(number);
        }
        return BlockHeader.getPrevRandao(fields);
    }
}
