// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {PintToken} from "./PintToken.sol";
import {StakeVault} from "./StakeVault.sol";
import {SystemParams} from "./SystemParams.sol";

/**
 * @title Who may change what, and after which delay
 * @notice Roles and delays of everything in Picolo that can change. The governor is the only admin from the first block: this
 * contract is complete when its constructor ends, and no deployer keeps a right. It is admin of the vault's list of slashers, mints
 * within the token's limit, and holds the treasury.
 *
 * @dev Delays are those of OpenZeppelin's AccessManager, and the governor queues through it. What changes stakes
 * waits SLOW, longer than anybody who dislikes it needs to leave. GUARDIAN may cancel what waits, stop new exposure and remove a
 * slasher; it cannot cancel acts of ADMIN, so it cannot keep itself in office. The genesis guardian ends by code.
 */
contract Authority is AccessManager {
    error UnknownDelay(uint256 slow);

    /// @notice Parameters of stakes; waits SLOW.
    uint64 public constant PARAMS_SLOW = 1;
    /// @notice Parameters of fees and of promotion; waits MEDIUM.
    uint64 public constant PARAMS = 2;
    /// @notice Parameters that move no money; waits FAST.
    uint64 public constant PARAMS_FAST = 3;
    /// @notice Proposes slashers, which then wait SLOW in the vault; waits MEDIUM.
    uint64 public constant UPGRADER = 4;
    /// @notice Stops new exposure, removes slashers, cancels what waits; at once.
    uint64 public constant GUARDIAN = 5;
    /// @notice Roots: keys whose certificates count.
    uint64 public constant ISSUER = 6;
    /// @notice Mints within the limit, pays from the treasury; waits FAST.
    uint64 public constant TREASURER = 7;
    /// @notice Owners of nodes on the highest step of the trust ladder.
    uint64 public constant COUNCIL = 8;

    /// @notice Seconds: unbonding and two days.
    uint32 public immutable SLOW;
    /// @notice Seconds.
    uint32 public constant MEDIUM = 7 days;
    /// @notice Seconds.
    uint32 public constant FAST = 2 days;
    /// @notice From genesis until its guardian ends, in seconds.
    uint256 public constant GUARDIAN_TERM = 365 days;

    /// @notice The guardian of the first year, zero for none.
    address public immutable GENESIS_GUARDIAN;
    /// @notice When its office ends.
    uint256 public immutable SUNSET;

    /**
     * @param governor the only admin
     * @param guardian guardian until SUNSET, zero for none
     * @param issuers roots of the beginning
     * @param vault the stake vault, whose admin this contract is
     * @param params the parameters
     * @param pint the token, whose minter this contract is
     */
    constructor(address governor, address guardian, address[] memory issuers, StakeVault vault, SystemParams params, PintToken pint)
        AccessManager(governor)
    {
        uint256 slow = vault.SLASHER_DELAY();
        if (slow == 0 || slow > 2 * 365 days) {
            revert UnknownDelay(slow);
        }
        (SLOW, GENESIS_GUARDIAN, SUNSET) = (uint32(slow), guardian, block.timestamp + GUARDIAN_TERM);
        _empower(governor, uint32(slow));
        if (guardian != address(0)) {
            _grantRole(GUARDIAN, guardian, 0, 0);
        }
        for (uint256 i = 0; i < issuers.length; ++i) {
            _grantRole(ISSUER, issuers[i], 0, 0);
        }
        _assign(vault, params, pint);
    }

    /// @notice As in AccessManager; the genesis guardian is none after SUNSET, whatever is granted to it.
    function hasRole(uint64 roleId, address account) public view override returns (bool isMember, uint32 executionDelay) {
        if (roleId == GUARDIAN && account == GENESIS_GUARDIAN && block.timestamp >= SUNSET) {
            return (false, 0);
        }
        return super.hasRole(roleId, account);
    }

    function _empower(address governor, uint32 slow) private {
        _grantRole(ADMIN_ROLE, governor, 0, slow);
        _grantRole(PARAMS_SLOW, governor, 0, slow);
        _grantRole(PARAMS, governor, 0, MEDIUM);
        _grantRole(PARAMS_FAST, governor, 0, FAST);
        _grantRole(UPGRADER, governor, 0, MEDIUM);
        _grantRole(TREASURER, governor, 0, FAST);
        _grantRole(GUARDIAN, governor, 0, 0);
        uint64[5] memory watched = [PARAMS_SLOW, PARAMS, PARAMS_FAST, UPGRADER, TREASURER];
        for (uint256 i = 0; i < watched.length; ++i) {
            _setRoleGuardian(watched[i], GUARDIAN);
        }
    }

    function _assign(StakeVault vault, SystemParams params, PintToken pint) private {
        _setTargetFunctionRole(address(params), SystemParams.setStakeRates.selector, PARAMS_SLOW);
        _setTargetFunctionRole(address(params), SystemParams.setFeeLock.selector, PARAMS);
        _setTargetFunctionRole(address(params), SystemParams.setFeeRate.selector, PARAMS);
        _setTargetFunctionRole(address(params), SystemParams.setLadder.selector, PARAMS);
        _setTargetFunctionRole(address(params), SystemParams.setDraw.selector, PARAMS_FAST);
        _setTargetFunctionRole(address(params), SystemParams.stop.selector, GUARDIAN);
        _setTargetFunctionRole(address(params), SystemParams.resume.selector, GUARDIAN);
        _setTargetFunctionRole(address(vault), vault.proposeSlasher.selector, UPGRADER);
        _setTargetFunctionRole(address(vault), vault.removeSlasher.selector, GUARDIAN);
        _setTargetFunctionRole(address(pint), PintToken.mint.selector, TREASURER);
        _setTargetFunctionRole(address(pint), IERC20.transfer.selector, TREASURER);
    }
}
