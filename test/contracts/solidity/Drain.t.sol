// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DrainMath} from "../../../contracts/libraries/DrainMath.sol";

/// @title Properties of the drain's arithmetic, over every input that a uint256 can hold
contract DrainFuzz {
    uint256 private constant MAX_STAKE = type(uint96).max;
    uint256 private constant MAX_TIME = 1 << 40;

    function rate(uint256 gib, uint256 uptime, uint256 load, uint256 rewards) private pure returns (uint256) {
        return DrainMath.rate(DrainMath.Inputs(gib, uptime, load, rewards));
    }

    function ordered(uint256 a, uint256 b) private pure returns (uint256, uint256) {
        return a < b ? (a, b) : (b, a);
    }

    function inRange(uint256 value) private pure returns (uint256) {
        return DrainMath.MIN_RATE + value % (DrainMath.MAX_RATE - DrainMath.MIN_RATE + 1);
    }

    /// @notice P-6.2-drain-formula: defined for every input, zeros and the largest included, and bounded
    function testFuzz_rateIsBounded(uint256 gib, uint256 uptime, uint256 load, uint256 rewards) public pure {
        uint256 f = rate(gib, uptime, load, rewards);
        require(f >= DrainMath.MIN_RATE && f <= DrainMath.MAX_RATE, "bounds");
    }

    function test_rateAtZeros() public pure {
        require(rate(0, 0, 0, 0) == DrainMath.MAX_RATE, "a newcomer without anything: 16 times the base, so the ceiling");
        require(rate(0, 360 days, 20_000, 4_000e18) == DrainMath.MIN_RATE, "an empty veteran: the floor");
    }

    /// @notice P-6.2-drain-formula: rises with the data
    function testFuzz_rateRisesWithData(uint256 a, uint256 b, uint256 uptime, uint256 load, uint256 rewards) public pure {
        (a, b) = ordered(a, b);
        require(rate(a, uptime, load, rewards) <= rate(b, uptime, load, rewards), "data");
    }

    /// @notice P-6.2-drain-formula: falls with uptime
    function testFuzz_rateFallsWithUptime(uint256 a, uint256 b, uint256 gib, uint256 load, uint256 rewards) public pure {
        (a, b) = ordered(a, b);
        require(rate(gib, a, load, rewards) >= rate(gib, b, load, rewards), "uptime");
    }

    /// @notice P-6.2-drain-formula: falls with load
    function testFuzz_rateFallsWithLoad(uint256 a, uint256 b, uint256 gib, uint256 uptime, uint256 rewards) public pure {
        (a, b) = ordered(a, b);
        require(rate(gib, uptime, a, rewards) >= rate(gib, uptime, b, rewards), "load");
    }

    /// @notice P-6.2-drain-formula: falls with rewards
    function testFuzz_rateFallsWithRewards(uint256 a, uint256 b, uint256 gib, uint256 uptime, uint256 load) public pure {
        (a, b) = ordered(a, b);
        require(rate(gib, uptime, load, a) >= rate(gib, uptime, load, b), "rewards");
    }

    function testFuzz_dueIsCapped(uint96 stake, uint256 speed, uint40 elapsed) public pure {
        uint256 amount = DrainMath.due(stake, inRange(speed), elapsed);
        require(amount * 10 <= uint256(stake) * 3 && amount % 1 gwei == 0, "cap, whole gwei");
    }

    function testFuzz_dueNeverFalls(uint96 stake, uint256 speed, uint40 a, uint40 b) public pure {
        (uint256 first, uint256 second) = ordered(a, b);
        require(DrainMath.due(stake, inRange(speed), first) <= DrainMath.due(stake, inRange(speed), second), "time");
    }

    /// @notice Settled in three steps or in one: the same total, because what was taken is subtracted and not extrapolated
    function testFuzz_dueDoesNotDependOnThePath(uint96 stake, uint256 speed, uint40 a, uint40 b, uint40 c) public pure {
        (uint256 x, uint256 y) = ordered(a, b);
        (y, c) = y < c ? (y, c) : (c, uint40(y));
        (x, y) = ordered(x, y);
        uint256 taken = 0;
        uint256[3] memory moments = [x, y, uint256(c)];
        for (uint256 i = 0; i < 3; ++i) {
            taken += DrainMath.due(stake, inRange(speed), moments[i]) - taken;
        }
        require(taken == DrainMath.due(stake, inRange(speed), c), "path");
    }
}
