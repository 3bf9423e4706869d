// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governor} from "@openzeppelin/contracts/governance/Governor.sol";
import {GovernorCountingSimple} from "@openzeppelin/contracts/governance/extensions/GovernorCountingSimple.sol";
import {GovernorPreventLateQuorum} from "@openzeppelin/contracts/governance/extensions/GovernorPreventLateQuorum.sol";
import {GovernorSettings} from "@openzeppelin/contracts/governance/extensions/GovernorSettings.sol";
import {GovernorTimelockAccess} from "@openzeppelin/contracts/governance/extensions/GovernorTimelockAccess.sol";
import {GovernorVotes} from "@openzeppelin/contracts/governance/extensions/GovernorVotes.sol";
import {GovernorVotesQuorumFraction} from "@openzeppelin/contracts/governance/extensions/GovernorVotesQuorumFraction.sol";
import {IVotes} from "@openzeppelin/contracts/governance/utils/IVotes.sol";
import {StakeVotes} from "./StakeVotes.sol";

/**
 * @title The governor
 * @notice PINT decides, liquid (delegated) and staked (recorded in `StakeVotes`). A proposal that passed waits as long as the slowest
 * of its acts needs in the authority, and at least two days.
 * @dev OpenZeppelin's Governor; the authority is its timelock, so one place holds every delay.
 */
contract PintGovernor is
    GovernorSettings, GovernorCountingSimple, GovernorVotesQuorumFraction, GovernorPreventLateQuorum, GovernorTimelockAccess
{
    /// @dev Seconds; the threshold in wei of votes.
    struct Settings {
        uint48 votingDelay;
        uint32 votingPeriod;
        uint256 proposalThreshold;
        uint48 lateQuorumExtension;
    }

    /// @notice Part of the supply that must vote, in percent.
    uint256 public constant QUORUM_PERCENT = 4;
    /// @notice Least delay of anything that passed, in seconds.
    uint32 public constant LEAST_DELAY = 2 days;

    /// @notice Votes of staked PINT.
    StakeVotes public immutable STAKE;

    /**
     * @param pint liquid votes and supply
     * @param stake votes of staked PINT
     * @param manager the authority
     * @param settings of the vote
     */
    constructor(IVotes pint, StakeVotes stake, address manager, Settings memory settings)
        Governor("Picolo")
        GovernorSettings(settings.votingDelay, settings.votingPeriod, settings.proposalThreshold)
        GovernorVotes(pint)
        GovernorVotesQuorumFraction(QUORUM_PERCENT)
        GovernorPreventLateQuorum(settings.lateQuorumExtension)
        GovernorTimelockAccess(manager, LEAST_DELAY)
    {
        STAKE = stake;
    }

    /// @dev Liquid and staked together.
    function _getVotes(address account, uint256 timepoint, bytes memory params)
        internal
        view
        override(Governor, GovernorVotes)
        returns (uint256)
    {
        return super._getVotes(account, timepoint, params) + STAKE.getPastVotes(account, timepoint);
    }

    /// @inheritdoc GovernorSettings
    function proposalThreshold() public view override(Governor, GovernorSettings) returns (uint256) {
        return super.proposalThreshold();
    }

    /// @inheritdoc GovernorPreventLateQuorum
    function proposalDeadline(uint256 proposalId) public view override(Governor, GovernorPreventLateQuorum) returns (uint256) {
        return super.proposalDeadline(proposalId);
    }

    /// @inheritdoc GovernorTimelockAccess
    function proposalNeedsQueuing(uint256 proposalId) public view override(Governor, GovernorTimelockAccess) returns (bool) {
        return super.proposalNeedsQueuing(proposalId);
    }

    /// @inheritdoc GovernorTimelockAccess
    function propose(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, string memory description)
        public
        override(Governor, GovernorTimelockAccess)
        returns (uint256)
    {
        return super.propose(targets, values, calldatas, description);
    }

    function _tallyUpdated(uint256 proposalId) internal override(Governor, GovernorPreventLateQuorum) {
        super._tallyUpdated(proposalId);
    }

    function _queueOperations(
        uint256 proposalId, address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockAccess) returns (uint48) {
        return super._queueOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _executeOperations(
        uint256 proposalId, address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash
    ) internal override(Governor, GovernorTimelockAccess) {
        super._executeOperations(proposalId, targets, values, calldatas, descriptionHash);
    }

    function _cancel(address[] memory targets, uint256[] memory values, bytes[] memory calldatas, bytes32 descriptionHash)
        internal
        override(Governor, GovernorTimelockAccess)
        returns (uint256)
    {
        return super._cancel(targets, values, calldatas, descriptionHash);
    }
}
