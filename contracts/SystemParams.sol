// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ISystemParams} from "./interfaces/ISystemParams.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/**
 * @title The parameters that may change
 * @notice Typed groups, one slot each, with bounds in code and cross-checks at every change. Who may set a group and after which
 * delay is the authority's matter (`Authority`). What is not here is immutable: the times of vault and courts, shares and caps above all.
 *
 * @dev Consumers copy what they need into their records when those are made: a change is never retroactive. A guardian's stop
 * reaches new exposure only, ends by itself, and cannot follow another without a pause as long.
 */
contract SystemParams is ISystemParams, AccessManaged {
    /// @dev What a parameter is at genesis; checked like every later value.
    struct Genesis {
        StakeRates stakeRates;
        FeeLock feeLock;
        Ladder ladder;
        Draw draw;
    }

    /// @notice How long a guardian's stop lasts, and the pause before it can stop the same again, in seconds.
    uint256 public constant STOP_TIME = 7 days;

    /// @notice The vault, whose immutable times bound the others.
    IStakeVault public immutable VAULT;

    StakeRates private _stakeRates;
    FeeLock private _feeLock;
    Ladder private _ladder;
    Draw private _draw;
    /// @notice Wei of PINT that 1e18 wei of a token's fees count as; zero: they do not count.
    mapping(address token => uint256) public feeRateOf;
    /// @notice When the latest stop of an exposure ends or ended, zero for never.
    mapping(Exposure => uint256) public stoppedUntil;

    /**
     * @param manager the authority
     * @param vault the stake vault
     * @param pint the work token: its fees count one to one
     * @param genesis first values
     */
    constructor(address manager, IStakeVault vault, address pint, Genesis memory genesis) AccessManaged(manager) {
        VAULT = vault;
        _setStakeRates(genesis.stakeRates);
        _setFeeLock(genesis.feeLock);
        _setLadder(genesis.ladder);
        _setDraw(genesis.draw);
        _setFeeRate(pint, 1e18);
    }

    // ---- setters

    /// @notice Sets what offers made from now on need. Requirements: role PARAMS_SLOW; minimum 1 to 1e6 PINT, rates at most 1,000 PINT.
    function setStakeRates(StakeRates calldata next) external restricted {
        _setStakeRates(next);
    }

    /**
     * @notice Sets how fees lock stake from now on.
     * Requirements: role PARAMS; at most five times the fees; a period from the evidence window to the time of unbonding.
     */
    function setFeeLock(FeeLock calldata next) external restricted {
        _setFeeLock(next);
    }

    /// @notice Sets what fees in `token` count as. Requirements: role PARAMS; at most 1e9 PINT for a whole token of 18 decimals.
    function setFeeRate(address token, uint256 next) external restricted {
        _setFeeRate(token, next);
    }

    /// @notice Sets what promotions from now on need. Requirements: role PARAMS; 30 days to 2 years, at most 1e6 PINT.
    function setLadder(Ladder calldata next) external restricted {
        _setLadder(next);
    }

    /// @notice Sets the notice of draws opened from now on. Requirements: role PARAMS_FAST; 2 to 1,000 blocks.
    function setDraw(Draw calldata next) external restricted {
        _setDraw(next);
    }

    // ---- guardian

    /**
     * @notice Stops new exposure of one kind for STOP_TIME. Exits, collections and evidence have no stop.
     * Requirements: role GUARDIAN; STOP_TIME has passed since the last stop ended.
     */
    function stop(Exposure exposure) external restricted {
        uint256 last = stoppedUntil[exposure];
        if (last != 0 && block.timestamp < last + STOP_TIME) {
            revert TooSoon(last + STOP_TIME);
        }
        stoppedUntil[exposure] = block.timestamp + STOP_TIME;
        emit ExposureStopped(exposure, block.timestamp + STOP_TIME);
    }

    /// @notice Ends a stop early. Requirements: role GUARDIAN; it lasts.
    function resume(Exposure exposure) external restricted {
        if (block.timestamp >= stoppedUntil[exposure]) {
            revert NotStopped(exposure);
        }
        stoppedUntil[exposure] = block.timestamp;
        emit ExposureResumed(exposure);
    }

    // ---- views

    /// @inheritdoc ISystemParams
    function requireOpen(Exposure exposure) external view {
        uint256 until = stoppedUntil[exposure];
        if (block.timestamp < until) {
            revert Stopped(exposure, until);
        }
    }

    /// @inheritdoc ISystemParams
    function stakeRates() external view returns (StakeRates memory) {
        return _stakeRates;
    }

    /// @inheritdoc ISystemParams
    function feeLock() external view returns (FeeLock memory) {
        return _feeLock;
    }

    /// @inheritdoc ISystemParams
    function ladder() external view returns (Ladder memory) {
        return _ladder;
    }

    /// @inheritdoc ISystemParams
    function draw() external view returns (Draw memory) {
        return _draw;
    }

    /// @inheritdoc ISystemParams
    function authority() public view override(AccessManaged, ISystemParams) returns (address) {
        return super.authority();
    }

    // ---- inside

    function _setStakeRates(StakeRates memory next) private {
        _within("minimum stake", next.minimum, 1e18, 1e24);
        _within("stake per GiB", next.perGib, 0, 1e21);
        _within("stake per vCPU", next.perVcpu, 0, 1e21);
        emit StakeRatesChanged(_stakeRates, next);
        _stakeRates = next;
    }

    function _setFeeLock(FeeLock memory next) private {
        _within("fee lock", next.bps, 0, 50_000);
        _holds(next.period >= VAULT.EVIDENCE_WINDOW(), "fees locked while evidence lasts");
        _holds(next.period <= VAULT.UNBONDING(), "fees locked no longer than exits");
        emit FeeLockChanged(_feeLock, next);
        _feeLock = next;
    }

    function _setFeeRate(address token, uint256 next) private {
        _within("fee rate", next, 0, 1e27);
        emit FeeRateChanged(token, feeRateOf[token], next);
        feeRateOf[token] = next;
    }

    function _setLadder(Ladder memory next) private {
        _within("service", next.service, 30 days, 730 days);
        _within("fees", next.fees, 0, 1e24);
        emit LadderChanged(_ladder, next);
        _ladder = next;
    }

    function _setDraw(Draw memory next) private {
        _within("draw delay", next.delay, 2, 1_000);
        emit DrawChanged(_draw, next);
        _draw = next;
    }

    function _within(bytes32 parameter, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) {
            revert OutOfBounds(parameter, value);
        }
    }

    function _holds(bool rule, bytes32 name) private pure {
        if (!rule) {
            revert CrossCheckFailed(name);
        }
    }
}
