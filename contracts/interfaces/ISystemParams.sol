// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What other contracts need of the parameters
interface ISystemParams {
    /// @dev One slot, wei. What offering capacity needs.
    struct StakeRates {
        uint96 minimum;
        uint80 perGib;
        uint80 perVcpu;
    }

    /// @dev One slot. `bps` of collected fees, in PINT, lock stake for `period` seconds.
    struct FeeLock {
        uint16 bps;
        uint40 period;
    }

    /// @dev One slot. Seconds of service without a fault, and fees in wei of PINT, that the third step needs.
    struct Ladder {
        uint40 service;
        uint96 fees;
    }

    /// @dev One slot. Blocks from the commitment to candidates until the block whose randomness chooses among them.
    struct Draw {
        uint16 delay;
    }

    /// @dev What a guardian can stop. Nothing that ends an exposure is in the list.
    enum Exposure { Offers, Groups }

    event StakeRatesChanged(StakeRates before, StakeRates next);
    event FeeLockChanged(FeeLock before, FeeLock next);
    event FeeRateChanged(address indexed token, uint256 before, uint256 next);
    event LadderChanged(Ladder before, Ladder next);
    event DrawChanged(Draw before, Draw next);
    event ExposureStopped(Exposure indexed exposure, uint256 until);
    event ExposureResumed(Exposure indexed exposure);

    error OutOfBounds(bytes32 parameter, uint256 value);
    error CrossCheckFailed(bytes32 rule);
    error Stopped(Exposure exposure, uint256 until);
    error NotStopped(Exposure exposure);
    error TooSoon(uint256 readyAt);

    function stakeRates() external view returns (StakeRates memory);
    function feeLock() external view returns (FeeLock memory);
    function feeRateOf(address token) external view returns (uint256);
    function ladder() external view returns (Ladder memory);
    function draw() external view returns (Draw memory);

    /// @notice Reverts with Stopped while a guardian's stop of `exposure` lasts.
    function requireOpen(Exposure exposure) external view;
    /// @notice The access manager.
    function authority() external view returns (address);
}
