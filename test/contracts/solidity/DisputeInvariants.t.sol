// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DisputeCourt} from "../../../contracts/DisputeCourt.sol";
import {JurorSeats} from "../../../contracts/JurorSeats.sol";
import {IDisputeCourt} from "../../../contracts/interfaces/IDisputeCourt.sol";
import {DisputeHandler} from "./DisputeHandler.sol";

/// @title What no sequence of calls may break: disputes and seats
contract DisputeInvariants {
    DisputeHandler private handler;
    DisputeCourt private court;
    JurorSeats private seats;

    function setUp() public {
        handler = new DisputeHandler();
        (court, seats) = (handler.court(), handler.seats());
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// What is owed and every open bond is there, to the wei.
    function invariant_courtIsSolvent() external view {
        (uint256 held,) = handler.holdings();
        require(held == handler.owed() + handler.openBonds(), "bonds and credits");
    }

    /// The seats hold what their units are worth, to the wei.
    function invariant_seatsAreSolvent() external view {
        (, uint256 held) = handler.holdings();
        uint256 units = 0;
        for (uint256 i = 0; i < seats.seatCount(); ++i) {
            units += seats.seatOf(i).units;
        }
        require(held == units * 10e18, "deposits");
    }

    function invariant_nobodyIsSlashedWithoutAVerdict() external view {
        require(!handler.touchedWithoutVerdict(), "stake moved");
    }

    function invariant_capsOfAWeekHold() external view {
        require(!handler.overCap(), "cap");
    }

    function invariant_noDisputeGoesOnForEver() external view {
        require(!handler.stuck(), "stuck");
    }

    function invariant_noDisputeEndsEarly() external view {
        require(!handler.settledEarly(), "early");
    }

    /// Duties of all seats are the places of committees that were not dismissed; nobody takes a deposit back while it has one.
    function invariant_dutiesAreThoseOfOpenDisputes() external view {
        uint256 duties = 0;
        for (uint256 i = 0; i < seats.seatCount(); ++i) {
            duties += seats.seatOf(i).duties;
        }
        uint256 places = 0;
        for (uint256 id = 1; id <= court.disputeCount(); ++id) {
            if (court.disputeOf(id).verdict == IDisputeCourt.Verdict.None) {
                places += court.committeeOf(id, 0).length + court.committeeOf(id, 1).length;
            }
        }
        require(duties == places, "duties");
        require(!handler.leftEarly(), "left early");
    }
}
