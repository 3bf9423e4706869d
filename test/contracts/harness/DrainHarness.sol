// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DrainMath} from "../../../contracts/libraries/DrainMath.sol";

/// @title The drain's arithmetic, callable from a test; many at once, for vectors
contract DrainHarness {
    function rates(DrainMath.Inputs[] calldata inputs) external pure returns (uint256[] memory out) {
        out = new uint256[](inputs.length);
        for (uint256 i = 0; i < inputs.length; ++i) {
            out[i] = DrainMath.rate(inputs[i]);
        }
    }

    /// @dev Triples of stake, rate and elapsed seconds.
    function dues(uint256[3][] calldata cases) external pure returns (uint256[] memory out) {
        out = new uint256[](cases.length);
        for (uint256 i = 0; i < cases.length; ++i) {
            out[i] = DrainMath.due(cases[i][0], cases[i][1], cases[i][2]);
        }
    }
}
