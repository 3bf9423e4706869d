// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/**
 * @title Deposits for access (the epsilon of definition 6.2)
 * @notice Whoever wants attention leaves PINT here; peers read `levelOf` at the first request and serve higher levels
 * first when they are busy. Nothing here can be slashed and nothing earns: it only makes identities cost something.
 */
contract AccessDeposits {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev One slot.
    struct Deposit {
        uint96 amount;
        uint96 leaving;
        uint40 unlockAt;
    }

    event Deposited(address indexed account, address indexed from, uint256 amount);
    event LeaveRequested(address indexed account, uint256 amount, uint256 unlockAt);
    event Withdrawn(address indexed account, uint256 amount);
    event LevelChanged(address indexed account, uint256 level);

    error StillLocked(uint256 until);
    error Insufficient(uint256 have, uint256 want);
    error ZeroAmount();

    /// @notice From a request until withdrawal, in seconds.
    uint256 public constant NOTICE = 7 days;
    /// @notice Deposit of level 1, in wei; every doubling is one level more.
    uint256 public constant UNIT = 1e18;
    /// @notice The highest level.
    uint256 public constant MAX_LEVEL = 15;

    /// @notice The deposited token.
    IERC20 public immutable PINT;

    /// @notice Deposit of an account.
    mapping(address account => Deposit) public depositOf;

    /// @param pint the token
    constructor(IERC20 pint) {
        PINT = pint;
    }

    /// @notice Adds `amount` of the caller's PINT to the deposit of `account`. Touches no clock.
    function deposit(address account, uint256 amount) external {
        if (amount == 0) {
            revert ZeroAmount();
        }
        depositOf[account].amount += amount.toUint96();
        emit Deposited(account, msg.sender, amount);
        emit LevelChanged(account, levelOf(account));
        PINT.safeTransferFrom(msg.sender, address(this), amount);
    }

    /**
     * @notice Starts the way out for `amount`; it stops counting at once. Asking again restarts the clock of all of it.
     * Requirements: the caller has that much.
     */
    function requestWithdraw(uint256 amount) external {
        Deposit memory record = depositOf[msg.sender];
        if (amount == 0) {
            revert ZeroAmount();
        }
        if (amount > record.amount) {
            revert Insufficient(record.amount, amount);
        }
        record.amount -= uint96(amount);
        record.leaving += uint96(amount);
        record.unlockAt = uint40(block.timestamp + NOTICE);
        depositOf[msg.sender] = record;
        emit LeaveRequested(msg.sender, amount, record.unlockAt);
        emit LevelChanged(msg.sender, levelOf(msg.sender));
    }

    /// @notice Pays what is leaving. Requirements: something is and its time has come.
    function withdraw() external {
        Deposit memory record = depositOf[msg.sender];
        if (record.leaving == 0) {
            revert ZeroAmount();
        }
        if (block.timestamp < record.unlockAt) {
            revert StillLocked(record.unlockAt);
        }
        depositOf[msg.sender] = Deposit(record.amount, 0, 0);
        emit Withdrawn(msg.sender, record.leaving);
        PINT.safeTransfer(msg.sender, record.leaving);
    }

    /// @notice 0 below one UNIT, else 1 + floor(log2(amount / UNIT)), at most MAX_LEVEL.
    function levelOf(address account) public view returns (uint256 level) {
        for (uint256 units = depositOf[account].amount / UNIT; units != 0 && level < MAX_LEVEL; units >>= 1) {
            ++level;
        }
    }
}
