// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title Guard against reentrance, in transient storage
 * @notice For functions that pay out: tokens with hooks and payees that are contracts get control in the middle.
 */
abstract contract NonReentrant {
    /// @notice A guarded function was called from inside another.
    error Reentered();

    bool private transient _entered;

    modifier nonReentrant() {
        if (_entered) {
            revert Reentered();
        }
        _entered = true;
        _;
        _entered = false;
    }
}
