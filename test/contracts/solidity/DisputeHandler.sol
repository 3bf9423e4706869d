// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeCourt} from "../../../contracts/DisputeCourt.sol";
import {JurorSeats} from "../../../contracts/JurorSeats.sol";
import {IDisputeCourt} from "../../../contracts/interfaces/IDisputeCourt.sol";
import {IJurorSeats} from "../../../contracts/interfaces/IJurorSeats.sol";
import {DisputeMath} from "../../../contracts/libraries/DisputeMath.sol";
import {Base} from "./Base.sol";

interface Mocking {
    function mockCall(address callee, bytes calldata data, bytes calldata result) external;
}

/**
 * @title Six owners with nodes and seats, three plaintiffs, their disputes and a clock
 * @dev The beacon alone is played: a seed is what the sequence of calls says, as if it stood in the header of the block.
 */
contract DisputeHandler is Base {
    uint256 public constant OWNERS = 6;
    uint256 public constant PLAINTIFFS = 3;
    uint256 private constant WEEK = 7 days;

    struct Spent {
        uint256 time;
        uint256 amount;
        address node;
    }

    DisputeCourt public court;
    JurorSeats public seats;
    address[] public members;
    Spent[] private _spent;
    // ghosts
    uint256 public openBonds;
    uint256 public deposited;
    uint256 public returned;
    uint256 public bonds;
    uint256 public collected;
    bool public touchedWithoutVerdict;
    bool public overCap;
    bool public stuck;
    bool public settledEarly;
    bool public leftEarly;

    constructor() {
        deployAll();
        address courtAt = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        seats = JurorSeats(create("JurorSeats", abi.encode(vault, pint, courtAt)));
        court = DisputeCourt(create("DisputeCourt", abi.encode(vault, pint, seats, clusters, params)));
        vault.proposeSlasher(address(court));
        vm.warp(block.timestamp + 25 days);
        vault.acceptSlasher(address(court));
        for (uint256 i = 0; i < OWNERS; ++i) {
            members.push(newNode(0xA0 + i, owner(i), 2_000e18 + i * 50_000e18));
            purse(owner(i));
            take(i, 5);
        }
        for (uint256 i = 0; i < PLAINTIFFS; ++i) {
            purse(plaintiff(i));
        }
        vm.warp(block.timestamp + 2 days);
    }

    function owner(uint256 i) public pure returns (address) {
        return address(uint160(0x0A00 + i % OWNERS));
    }

    function plaintiff(uint256 i) public pure returns (address) {
        return address(uint160(0xB000 + i % PLAINTIFFS));
    }

    function purse(address account) private {
        pint.transfer(account, 1_000_000e18);
        vm.prank(account);
        pint.approve(address(seats), type(uint256).max);
        vm.prank(account);
        pint.approve(address(court), type(uint256).max);
    }

    // ---- seats

    function take(uint256 who, uint256 count) public {
        count = bound(count, 1, 8);
        vm.prank(owner(who));
        seats.takeSeats(members[who % OWNERS], count);
        deposited += count * 500e18;
    }

    function quit(uint256 seat) external {
        seat %= seats.seatCount();
        vm.prank(seats.jurorOf(seat));
        seats.leaveSeats(one(seat));
    }

    function giveBack(uint256 seat) external {
        seat %= seats.seatCount();
        IJurorSeats.Seat memory record = seats.seatOf(seat);
        seats.returnSeats(one(seat));
        returned += record.units * 10e18;
        if (block.timestamp < record.leftAt + 8 days || record.duties != 0) {
            leftEarly = true;
        }
    }

    // ---- disputes

    function open(uint256 by, uint256 against, uint256 kind, uint256 claim) public {
        watch();
        vm.prank(plaintiff(by));
        court.open(IDisputeCourt.Kind(1 + kind % 3), members[against % OWNERS], keccak256(abi.encode(claim % 50)), "u");
        bonds += 200e18;
        openBonds += 200e18;
        unchanged();
    }

    function answer(uint256 which) external {
        uint256 id = pick(which);
        address accused = vault.ownerOf(court.disputeOf(id).node).owner;
        vm.prank(accused);
        court.answer(id, 0, "a");
        bonds += 200e18;
        openBonds += 200e18;
    }

    function draw(uint256 which, bytes32 seed) public {
        Mocking(address(vm)).mockCall(address(seats), abi.encodeWithSelector(IJurorSeats.seedOf.selector), abi.encode(seed));
        court.draw(pick(which), "");
    }

    /// A whole committee commits, `yes` of its places to conviction, and comes back to reveal when the clock allows it, all but `absent`.
    function vote(uint256 which, uint256 yes, uint256 absent) public {
        uint256 id = pick(which);
        (uint256 round, uint256[] memory drawn) = current(id);
        for (uint256 i = 0; i < drawn.length; ++i) {
            address juror = seats.jurorOf(drawn[i]);
            IDisputeCourt.Verdict choice = i < yes % 16 ? IDisputeCourt.Verdict.Upheld : IDisputeCourt.Verdict.Rejected;
            bytes32 commitment = court.commitmentFor(id, round, i, juror, choice, 0);
            vm.prank(juror);
            court.commit(id, i, commitment);
        }
        forward(DisputeMath.commitBy(court.disputeOf(id).openedAt, round) + 1);
        for (uint256 i = absent % 16; i < drawn.length; ++i) {
            court.reveal(id, i, i < yes % 16 ? IDisputeCourt.Verdict.Upheld : IDisputeCourt.Verdict.Rejected, 0);
        }
    }

    function appeal(uint256 which, bool byAccused) public {
        uint256 id = pick(which);
        IDisputeCourt.Dispute memory dispute = court.disputeOf(id);
        vm.prank(byAccused ? vault.ownerOf(dispute.node).owner : dispute.plaintiff);
        court.appeal(id, 0, "b");
        bonds += 400e18;
        openBonds += 400e18;
    }

    /// From the opening to the end of the first round and, when somebody can, through an appeal: short sequences seldom get there.
    function hear(uint256 against, bytes32 seed, uint256 yes, uint256 absent, bool again) external {
        open(uint256(seed), against, 1, uint256(seed));
        uint256 id = court.disputeCount();
        draw(id, seed);
        forward(court.disputeOf(id).openedAt + 1 days + 1);
        vote(id, yes, absent % 4);
        forward(court.disputeOf(id).openedAt + 3 days + 1);
        if (again) {
            appeal(id, yes % 16 > 4);
            draw(id, keccak256(abi.encode(seed)));
            vote(id, yes >> 8, absent >> 8);
        }
    }

    function settle(uint256 which) external {
        settleOne(pick(which));
    }

    function settleOne(uint256 id) public {
        IDisputeCourt.Dispute memory dispute = court.disputeOf(id);
        (uint256 before, uint256 all) = (stakeOf(dispute.node), allStake());
        uint256 held = pint.balanceOf(address(vault));
        court.settle(id);
        uint256 taken = before - stakeOf(dispute.node);
        openBonds -= 200e18 + (dispute.answered ? 200e18 : 0) + (dispute.appealed ? 400e18 : 0);
        if (all - allStake() != taken || (taken != 0 && court.disputeOf(id).verdict != IDisputeCourt.Verdict.Upheld)) {
            touchedWithoutVerdict = true;
        }
        if (block.timestamp <= dispute.openedAt + (dispute.appealed ? 156 hours : 3 days)) {
            settledEarly = true;
        }
        if (taken != 0) {
            tally(dispute.node, taken, held);
        }
    }

    /// Whatever happened, a dispute that has had its time ends.
    function settleOverdue(uint256 which) external {
        uint256 id = pick(which);
        IDisputeCourt.Dispute memory dispute = court.disputeOf(id);
        bool overdue = dispute.openedAt != 0 && block.timestamp >= dispute.openedAt + DisputeMath.WHOLE;
        if (!overdue || dispute.verdict != IDisputeCourt.Verdict.None) {
            return;
        }
        try this.settleOne(id) {} catch {
            stuck = true;
        }
    }

    function collect(uint256 who, bool party) external {
        address account = party ? plaintiff(who) : owner(who);
        uint256 amount = court.owed(account);
        court.collect(account);
        collected += amount;
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 2 days));
    }

    // ---- books

    function owed() external view returns (uint256 sum) {
        for (uint256 i = 0; i < OWNERS; ++i) {
            sum += court.owed(owner(i));
        }
        for (uint256 i = 0; i < PLAINTIFFS; ++i) {
            sum += court.owed(plaintiff(i));
        }
    }

    function holdings() external view returns (uint256 inCourt, uint256 inSeats) {
        return (pint.balanceOf(address(court)), pint.balanceOf(address(seats)));
    }

    function allStake() public view returns (uint256 sum) {
        for (uint256 i = 0; i < OWNERS; ++i) {
            sum += stakeOf(members[i]);
        }
    }

    function tally(address node, uint256 taken, uint256 held) private {
        _spent.push(Spent(block.timestamp, taken, node));
        (uint256 ofNode, uint256 ofAll) = (0, 0);
        for (uint256 i = 0; i < _spent.length; ++i) {
            if (_spent[i].time + WEEK > block.timestamp) {
                ofAll += _spent[i].amount;
                ofNode += _spent[i].node == node ? _spent[i].amount : 0;
            }
        }
        if (ofNode > (stakeOf(node) + ofNode) / 5 || ofAll > held / 50) {
            overCap = true;
        }
    }

    uint256 private _before;

    function watch() private {
        _before = allStake();
    }

    function unchanged() private {
        if (allStake() != _before) {
            touchedWithoutVerdict = true;
        }
    }

    /// @dev Time never goes back.
    function forward(uint256 time) private {
        vm.warp(time > block.timestamp ? time : block.timestamp);
    }

    function pick(uint256 which) private view returns (uint256) {
        uint256 all = court.disputeCount();
        return all == 0 || which == all ? which : 1 + which % all;
    }

    function current(uint256 id) private view returns (uint256 round, uint256[] memory drawn) {
        round = court.disputeOf(id).appealed ? 1 : 0;
        return (round, court.committeeOf(id, round));
    }

    function one(uint256 value) private pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }
}
