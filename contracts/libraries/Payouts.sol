// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {NonReentrant} from "./NonReentrant.sol";

/**
 * @title Taking in and paying out ether and any ERC-20
 * @notice Token zero is ether. What comes in counts by the difference of balances, so a token that keeps a fee harms nobody else, and
 * each token is paid from its own balance, so one that rebases runs short alone (decision 0155). Ether that a payee refuses waits here for it: a bad payee blocks nobody.
 */
abstract contract Payouts is NonReentrant {
    using SafeERC20 for IERC20;

    event PaymentOwed(address indexed account, uint256 amount);

    error ZeroAmount();
    error TokenMismatch(uint256 value);
    error NotDelivered(address account);

    /// @dev Gas for a payee that is a contract; more would let it burn the caller's gas.
    uint256 private constant PUSH_GAS = 50_000;

    /// @notice Ether that could not be delivered and waits for its owner, in wei.
    mapping(address account => uint256) public owed;

    /// @notice Pays ether that could not be delivered before, to its owner. Requirements: there is some and it arrives.
    function claimOwed(address account) external nonReentrant returns (uint256 amount) {
        amount = owed[account];
        if (amount == 0) {
            revert ZeroAmount();
        }
        owed[account] = 0;
        (bool delivered,) = account.call{value: amount}("");
        if (!delivered) {
            revert NotDelivered(account);
        }
    }

    /**
     * @dev Takes `amount` from the caller. Requirements: ether came with the call, exactly; for tokens none did, and there is an approval.
     * @return received wei that arrived
     */
    function _receive(address token, uint256 amount) internal returns (uint256 received) {
        if (token == address(0)) {
            if (msg.value != amount) {
                revert TokenMismatch(msg.value);
            }
            return amount;
        }
        if (msg.value != 0) {
            revert TokenMismatch(msg.value);
        }
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        return IERC20(token).balanceOf(address(this)) - before;
    }

    /// @dev Pays; ether that is refused becomes `owed`.
    function _pay(address token, address to, uint256 amount) internal {
        if (token != address(0)) {
            IERC20(token).safeTransfer(to, amount);
            return;
        }
        (bool delivered,) = to.call{value: amount, gas: PUSH_GAS}("");
        if (!delivered) {
            owed[to] += amount;
            emit PaymentOwed(to, amount);
        }
    }
}
