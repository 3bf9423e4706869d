// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeCourt} from "../interfaces/IDisputeCourt.sol";

/**
 * @title Times, majorities and amounts of a dispute
 * @notice All times count from the opening and are fixed by it. Round 0 is the first, round 1 the appeal. The last second of every
 * phase belongs to it.
 */
library DisputeMath {
    /// @dev Seconds from the opening. The rest until WHOLE is for whoever settles.
    uint256 internal constant ANSWER_BY = 1 days;
    uint256 internal constant COMMIT_BY = 2 days;
    uint256 internal constant REVEAL_BY = 3 days;
    uint256 internal constant APPEAL_BY = 4 days;
    uint256 internal constant COMMIT_AGAIN_BY = 132 hours;
    uint256 internal constant REVEAL_AGAIN_BY = 156 hours;
    uint256 internal constant WHOLE = 7 days;

    uint256 internal constant FIRST_SEATS = 7;
    uint256 internal constant APPEAL_SEATS = 15;

    uint256 private constant BPS = 10_000;
    /// @dev A node loses at most a fifth of its stake to verdicts in any CAP_WINDOW, all nodes together a fiftieth of what the vault holds.
    uint256 private constant NODE_CAP_BPS = 2_000;
    uint256 private constant NETWORK_CAP_BPS = 200;

    /// @dev Seats of the committee of `round`.
    function seatsOf(uint256 round) internal pure returns (uint256) {
        return round == 0 ? FIRST_SEATS : APPEAL_SEATS;
    }

    /// @dev Last second of commitments in `round`.
    function commitBy(uint256 openedAt, uint256 round) internal pure returns (uint256) {
        return openedAt + (round == 0 ? COMMIT_BY : COMMIT_AGAIN_BY);
    }

    /// @dev Last second of reveals in `round`.
    function revealBy(uint256 openedAt, uint256 round) internal pure returns (uint256) {
        return openedAt + (round == 0 ? REVEAL_BY : REVEAL_AGAIN_BY);
    }

    /**
     * @dev More than two thirds of all places convict, more than half of them acquit, anything else decides nothing. Silence never
     * helps the plaintiff, and a third of the places that is silent or bought can prevent a conviction but not win one.
     */
    function verdictOf(uint256 seats, uint256 upheld, uint256 rejected) internal pure returns (IDisputeCourt.Verdict) {
        if (upheld * 3 > seats * 2) {
            return IDisputeCourt.Verdict.Upheld;
        }
        return rejected * 2 > seats ? IDisputeCourt.Verdict.Rejected : IDisputeCourt.Verdict.Undecided;
    }

    /// @dev Places whose fees are due when `votes` voted with the verdict, or at all when it is Undecided.
    function paidPlaces(uint256 round, IDisputeCourt.Verdict verdict, uint256 votes) internal pure returns (uint256) {
        uint256 seats = seatsOf(round);
        if (verdict != IDisputeCourt.Verdict.Undecided) {
            return seats;
        }
        return votes * 2 > seats ? votes : 0;
    }

    /// @dev What a kind costs, in 1/10,000 of the stake.
    function penaltyBps(IDisputeCourt.Kind kind) internal pure returns (uint256) {
        bool grave = kind == IDisputeCourt.Kind.WrongResult || kind == IDisputeCourt.Kind.FalseEgress;
        return grave ? 1_000 : 500;
    }

    /**
     * @dev What a verdict may take, in wei: its part of `stake`, but no more than the caps leave.
     * @param stake the node's now
     * @param spentOfNode taken from the node by verdicts of the last week
     * @param held what the vault holds
     * @param spent taken from all nodes by verdicts of the last week
     */
    function penalty(IDisputeCourt.Kind kind, uint256 stake, uint256 spentOfNode, uint256 held, uint256 spent) internal pure returns (uint256) {
        uint256 amount = stake * penaltyBps(kind) / BPS;
        amount = _least(amount, _left((stake + spentOfNode) * NODE_CAP_BPS / BPS, spentOfNode));
        return _least(amount, _left(held * NETWORK_CAP_BPS / BPS, spent));
    }

    function _left(uint256 cap, uint256 used) private pure returns (uint256) {
        return cap > used ? cap - used : 0;
    }

    function _least(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
