// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {PintToken} from "./PintToken.sol";
import {VaultModules} from "./VaultModules.sol";

/**
 * @title Where slashed stake goes
 * @notice A part vests for the reporter and the consumer for as long as unbonding takes, so a slash is never a quicker
 * way out; the rest waits to be burned.
 */
abstract contract VaultRewards is VaultModules {
    using SafeERC20 for IERC20;

    /// @notice The staked token.
    PintToken public immutable PINT;
    /// @notice Reward of an account and when it can be claimed.
    mapping(address account => Credit) public creditOf;
    /// @notice Slashed PINT that waits to be burned, in wei.
    uint256 public burnPot;

    constructor(PintToken pint) {
        if (address(pint) == address(0)) {
            revert ZeroAddress();
        }
        PINT = pint;
    }

    /**
     * @notice Pays the reward of `account` to it.
     * Requirements: it has one and its date has come.
     */
    function claimCredit(address account) external {
        Credit memory credit = creditOf[account];
        if (credit.amount == 0) {
            revert ZeroAmount();
        }
        if (block.timestamp < credit.vestAt) {
            revert StillLocked(credit.vestAt);
        }
        delete creditOf[account];
        emit CreditClaimed(account, credit.amount);
        IERC20(address(PINT)).safeTransfer(account, credit.amount);
    }

    /// @notice Burns what slashing set aside. Anybody may. Requirements: there is something.
    function sweep() external {
        uint256 amount = burnPot;
        if (amount == 0) {
            revert ZeroAmount();
        }
        burnPot = 0;
        emit Burned(amount);
        PINT.burn(amount);
    }

    /**
     * @dev Joins a reward to what the account waits for already. The date is the average weighted by amount, rounded
     * up: a speck cannot delay somebody's reward, and an early small reward cannot carry a large one out early.
     */
    function _credit(address account, uint256 amount) internal {
        if (amount == 0) {
            return;
        }
        Credit memory credit = creditOf[account];
        unchecked {
            // amounts are parts of the supply, below 2^90, and times below 2^41
            uint256 total = credit.amount + amount;
            uint256 vestAt = block.timestamp + UNBONDING;
            if (credit.amount != 0) {
                uint256 old = credit.vestAt < block.timestamp ? block.timestamp : credit.vestAt;
                vestAt = (credit.amount * old + amount * vestAt + total - 1) / total;
            }
            creditOf[account] = Credit(uint96(total), uint40(vestAt));
        }
    }
}
