// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {VestingWallet} from "@openzeppelin/contracts/finance/VestingWallet.sol";
import {VestingWalletCliff} from "@openzeppelin/contracts/finance/VestingWalletCliff.sol";

/**
 * @title PINT of genesis that its owner gets over time
 * @notice OpenZeppelin's vesting wallet: nothing before the cliff, then in proportion to the time since the start.
 */
contract PintVesting is VestingWalletCliff {
    /**
     * @param beneficiary owner, who may sell the claim
     * @param start unix seconds
     * @param duration seconds
     * @param cliff seconds, at most the duration
     */
    constructor(address beneficiary, uint64 start, uint64 duration, uint64 cliff)
        VestingWallet(beneficiary, start, duration)
        VestingWalletCliff(cliff)
    {}
}
