// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IStakeVault} from "./interfaces/IStakeVault.sol";

/**
 * @title Times and slashers of the vault
 * @notice A new slasher becomes active later than anybody who distrusts it can leave; a bad one can be removed at once,
 * which loses punishment and never funds.
 * @dev unbonding >= evidence window + dispute time + 1 day, checked here and fixed for ever.
 */
abstract contract VaultModules is IStakeVault {
    /// @dev Seconds.
    struct Periods {
        uint256 unbonding;
        uint256 evidenceWindow;
        uint256 dispute;
    }

    uint256 private constant MARGIN = 1 days;
    uint256 private constant LONGEST = 180 days;
    uint256 private constant SLASHER_MARGIN = 2 days;

    /// @notice From a request to leave until the stake can be withdrawn, in seconds.
    uint256 public immutable UNBONDING;
    /// @notice How long after the end of a group epoch its faults can be reported, in seconds.
    uint256 public immutable EVIDENCE_WINDOW;
    /// @notice The longest that a dispute may take, in seconds.
    uint256 public immutable DISPUTE_TIME;
    /// @notice From the proposal of a slasher until it can be activated, in seconds.
    uint256 public immutable SLASHER_DELAY;

    /// @notice Whether a contract may slash.
    mapping(address slasher => bool) public isSlasher;
    /// @notice Earliest activation of a proposed slasher, zero when it is not proposed.
    mapping(address slasher => uint256) public slasherReadyAt;
    /// @notice Proposes and removes slashers; holds no funds and no other right.
    address public admin;
    /// @notice Named by the admin, becomes admin by accepting.
    address public pendingAdmin;

    modifier onlyAdmin() {
        if (msg.sender != admin) {
            revert NotAdmin(msg.sender);
        }
        _;
    }

    constructor(address firstAdmin, Periods memory periods, address[] memory slashers) {
        _bound(periods.evidenceWindow >= 1 days && periods.evidenceWindow <= LONGEST, "evidence window");
        _bound(periods.dispute <= LONGEST, "dispute time");
        _bound(periods.unbonding >= periods.evidenceWindow + periods.dispute + MARGIN, "unbonding outlives evidence");
        _bound(periods.unbonding <= 3 * LONGEST, "unbonding");
        _bound(firstAdmin != address(0), "admin");
        UNBONDING = periods.unbonding;
        EVIDENCE_WINDOW = periods.evidenceWindow;
        DISPUTE_TIME = periods.dispute;
        SLASHER_DELAY = periods.unbonding + SLASHER_MARGIN;
        admin = firstAdmin;
        emit AdminChanged(firstAdmin);
        for (uint256 i = 0; i < slashers.length; ++i) {
            isSlasher[slashers[i]] = true;
            emit SlasherActivated(slashers[i]);
        }
    }

    /**
     * @notice Announces a slasher.
     * Effects: it can be activated after SLASHER_DELAY.
     * Requirements: the caller is the admin; it is neither active nor proposed.
     */
    function proposeSlasher(address slasher) external onlyAdmin {
        if (slasher == address(0)) {
            revert ZeroAddress();
        }
        if (isSlasher[slasher] || slasherReadyAt[slasher] != 0) {
            revert TooSoon(slasherReadyAt[slasher]);
        }
        slasherReadyAt[slasher] = block.timestamp + SLASHER_DELAY;
        emit SlasherProposed(slasher, slasherReadyAt[slasher]);
    }

    /**
     * @notice Activates a proposed slasher. Anybody may.
     * Requirements: it was proposed, not removed since, and its time has come.
     */
    function acceptSlasher(address slasher) external {
        uint256 readyAt = slasherReadyAt[slasher];
        if (readyAt == 0) {
            revert UnknownSlasher(slasher);
        }
        if (block.timestamp < readyAt) {
            revert TooSoon(readyAt);
        }
        delete slasherReadyAt[slasher];
        isSlasher[slasher] = true;
        emit SlasherActivated(slasher);
    }

    /**
     * @notice Ends an active slasher or withdraws a proposal, at once.
     * Requirements: the caller is the admin; the slasher is active or proposed.
     */
    function removeSlasher(address slasher) external onlyAdmin {
        if (!isSlasher[slasher] && slasherReadyAt[slasher] == 0) {
            revert UnknownSlasher(slasher);
        }
        delete isSlasher[slasher];
        delete slasherReadyAt[slasher];
        emit SlasherRemoved(slasher);
    }

    /// @notice Names the next admin. Requirements: the caller is the admin.
    function proposeAdmin(address next) external onlyAdmin {
        pendingAdmin = next;
        emit AdminProposed(next);
    }

    /// @notice Takes the office. Requirements: the caller was named.
    function acceptAdmin() external {
        if (msg.sender != pendingAdmin) {
            revert NotAdmin(msg.sender);
        }
        admin = msg.sender;
        delete pendingAdmin;
        emit AdminChanged(msg.sender);
    }

    function _mustBeSlasher() internal view {
        if (!isSlasher[msg.sender]) {
            revert NotSlasher(msg.sender);
        }
    }

    function _bound(bool holds, bytes32 rule) private pure {
        if (!holds) {
            revert ParameterOutOfBounds(rule);
        }
    }
}
