// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title How fast a silent node's stake drains (Picolo §6.2)
 * @notice F = k * D / (t * l * R), each factor relative to a reference and clamped to [1/4, 4], so that it is defined at
 * zero and no single factor decides alone; the product is clamped again. The drain is linear in time from the moment of
 * the challenge and capped, so settling often or once takes the same.
 */
library DrainMath {
    /// @dev Everything the rate depends on, as it was when the challenge was opened.
    struct Inputs {
        uint256 gib; // data on the node, D
        uint256 uptime; // seconds since it entered or last fell silent, t
        uint256 loadBps; // share of its capacity in use, l, in 1/10,000
        uint256 rewards; // earned so far, R, in wei of PINT
    }

    uint256 internal constant WAD = 1e18;
    /// @dev k: 0.05 % per hour for a node at all references.
    uint256 internal constant BASE_RATE = 5e14;
    /// @dev 0.005 % and 0.5 % per hour.
    uint256 internal constant MIN_RATE = 5e13;
    uint256 internal constant MAX_RATE = 5e15;
    /// @dev Most that one silence costs: 30 % of the stake at its beginning.
    uint256 internal constant MAX_PART = 3e17;

    uint256 internal constant REFERENCE_GIB = 256;
    uint256 internal constant REFERENCE_UPTIME = 90 days;
    uint256 internal constant REFERENCE_LOAD_BPS = 5_000;
    uint256 internal constant REFERENCE_REWARDS = 1_000e18;

    uint256 private constant LEAST = WAD / 4;
    uint256 private constant MOST = 4 * WAD;

    /// @dev Part of the stake per hour, in 1e-18.
    function rate(Inputs memory inputs) internal pure returns (uint256) {
        uint256 product = BASE_RATE * _factor(inputs.gib, REFERENCE_GIB) / _factor(inputs.uptime, REFERENCE_UPTIME);
        product = product * WAD / _factor(inputs.loadBps, REFERENCE_LOAD_BPS);
        product = product * WAD / _factor(inputs.rewards, REFERENCE_REWARDS);
        return _clamp(product, MIN_RATE, MAX_RATE);
    }

    /**
     * @dev What a silence of `elapsed` seconds costs in all, in wei, rounded down to whole gwei.
     * Requirements: `stake` < 2^96, `ratePerHour` <= MAX_RATE, `elapsed` < 2^40.
     */
    function due(uint256 stake, uint256 ratePerHour, uint256 elapsed) internal pure returns (uint256) {
        uint256 part = ratePerHour * elapsed / 1 hours;
        uint256 amount = stake * (part < MAX_PART ? part : MAX_PART) / WAD;
        return amount - amount % 1 gwei;
    }

    function _factor(uint256 value, uint256 unit) private pure returns (uint256) {
        uint256 most = 4 * unit; // beyond it the factor is clamped anyway, and the product stays small
        return _clamp((value < most ? value : most) * WAD / unit, LEAST, MOST);
    }

    function _clamp(uint256 value, uint256 least, uint256 most) private pure returns (uint256) {
        return value < least ? least : value > most ? most : value;
    }
}
