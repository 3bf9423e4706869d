// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeCourt} from "../../../contracts/interfaces/IDisputeCourt.sol";
import {DisputeMath} from "../../../contracts/libraries/DisputeMath.sol";
import {SeatOrder} from "../../../contracts/libraries/SeatOrder.sol";

/// @title Arithmetic of disputes, for every input
contract DisputesTest {
    function check(bool condition, string memory what) private pure {
        require(condition, what);
    }

    /// Every seat stands at exactly one place of the order.
    function testFuzz_orderIsAPermutation(bytes32 seed, uint256 size) external pure {
        size = 1 + size % 100;
        uint256 seen = 0;
        for (uint256 place = 0; place < size; ++place) {
            uint256 seat = SeatOrder.seatAt(seed, place, size);
            check(seat < size, "in range");
            check((seen >> seat) & 1 == 0, "once");
            seen |= 1 << seat;
        }
    }

    function testFuzz_orderOfManySeats(bytes32 seed, uint256 size, uint256 a, uint256 b) external pure {
        size = 2 + size % type(uint32).max;
        (a, b) = (a % size, b % size);
        (uint256 first, uint256 second) = (SeatOrder.seatAt(seed, a, size), SeatOrder.seatAt(seed, b, size));
        check(first < size && second < size, "in range");
        check((first == second) == (a == b), "distinct places, distinct seats");
    }

    /// Over many seeds every seat comes first about as often as any other: 2,600 draws of 13, 200 expected, 60 are four deviations.
    function test_orderPrefersNobody() external pure {
        uint256[13] memory count;
        for (uint256 i = 0; i < 2_600; ++i) {
            ++count[SeatOrder.seatAt(keccak256(abi.encode("fair", i)), i % 3, 13)];
        }
        for (uint256 seat = 0; seat < 13; ++seat) {
            check(count[seat] > 140 && count[seat] < 260, "a seat is drawn too often or too rarely");
        }
    }

    function testFuzz_verdictIsAMajorityOfAllPlaces(uint256 round, uint8 upheld, uint8 rejected) external pure {
        uint256 seats = DisputeMath.seatsOf(round % 2);
        uint256 yes = upheld % (seats + 1);
        uint256 no = rejected % (seats - yes + 1);
        IDisputeCourt.Verdict verdict = DisputeMath.verdictOf(seats, yes, no);
        check((verdict == IDisputeCourt.Verdict.Upheld) == (3 * yes > 2 * seats), "more than two thirds convict");
        check((verdict == IDisputeCourt.Verdict.Rejected) == (2 * no > seats), "more than half acquit");
        check(verdict != IDisputeCourt.Verdict.None, "it ends");
    }

    /// A juror who stays away instead of voting for the node never turns anything into a conviction.
    function testFuzz_silenceNeverHelpsThePlaintiff(uint256 round, uint8 upheld, uint8 rejected) external pure {
        uint256 seats = DisputeMath.seatsOf(round % 2);
        uint256 yes = upheld % (seats + 1);
        uint256 no = rejected % (seats - yes + 1);
        if (no != 0 && DisputeMath.verdictOf(seats, yes, no) != IDisputeCourt.Verdict.Upheld) {
            check(DisputeMath.verdictOf(seats, yes, no - 1) != IDisputeCourt.Verdict.Upheld, "silence convicts");
        }
    }

    function testFuzz_feesFitABond(uint8 verdict, uint256 first, uint256 second) external pure {
        IDisputeCourt.Verdict outcome = IDisputeCourt.Verdict(1 + verdict % 3);
        uint256 places = DisputeMath.paidPlaces(0, outcome, first % (DisputeMath.FIRST_SEATS + 1));
        uint256 more = outcome == IDisputeCourt.Verdict.Undecided ? 0 : DisputeMath.paidPlaces(1, outcome, second % (DisputeMath.APPEAL_SEATS + 1));
        check(places <= DisputeMath.FIRST_SEATS && more <= DisputeMath.APPEAL_SEATS, "no more than the places");
        check((places + more) * 5e18 <= 200e18, "fees fit one bond");
    }

    function testFuzz_penaltyStaysBelowEveryCap(uint8 kind, uint256 stake, uint256 ofNode, uint256 held, uint256 spent) external pure {
        (stake, ofNode, held, spent) = (stake % 1e28, ofNode % 1e28, held % 1e28, spent % 1e28);
        uint256 amount = DisputeMath.penalty(IDisputeCourt.Kind(kind % 4), stake, ofNode, held, spent);
        check(amount <= stake / 10, "a tenth");
        check(amount == 0 || ofNode + amount <= (stake + ofNode) / 5, "a fifth of the node in a week");
        check(amount == 0 || spent + amount <= held / 50, "a fiftieth of all in a week");
    }

    function testFuzz_penaltyOfFirstVerdictIsItsPart(uint256 stake, uint8 kind) external pure {
        stake %= 1e25;
        bool grave = kind % 4 == 0 || kind % 4 == 2;
        check(DisputeMath.penalty(IDisputeCourt.Kind(kind % 4), stake, 0, 1e28, 0) == stake / (grave ? 10 : 20), "a tenth or a twentieth");
    }

    function testFuzz_phasesFollowEachOther(uint40 openedAt) external pure {
        uint256 last = openedAt;
        uint256[6] memory ends = [
            openedAt + DisputeMath.ANSWER_BY, DisputeMath.commitBy(openedAt, 0), DisputeMath.revealBy(openedAt, 0),
            openedAt + DisputeMath.APPEAL_BY, DisputeMath.commitBy(openedAt, 1), DisputeMath.revealBy(openedAt, 1)
        ];
        for (uint256 i = 0; i < ends.length; ++i) {
            check(ends[i] >= last + 1 days, "a day for each");
            last = ends[i];
        }
        check(last + 12 hours <= openedAt + DisputeMath.WHOLE, "time to settle");
    }
}
