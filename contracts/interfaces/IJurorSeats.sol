// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Types, events and errors of jurors' seats, and the calls that the court makes
interface IJurorSeats {
    /// @dev One slot. `units` of PENALTY each are what is left of the deposit; `duties`: committees of unsettled disputes.
    struct Seat {
        address node;
        uint40 takenAt;
        uint40 leftAt;
        uint8 units;
        uint8 duties;
    }

    /**
     * @dev A look for a committee: the order of `seed` over the first `pool` seats from place `cursor` on, at most `looks` of them, for
     * a dispute opened at `openedAt` between two parties, until `wanted` are found that may judge and are not in `earlier`.
     */
    struct Search {
        bytes32 seed;
        uint256 pool;
        uint256 cursor;
        uint256 looks;
        uint256 wanted;
        uint256 openedAt;
        address plaintiff;
        address accused;
        uint256[] earlier;
    }

    event SeatTaken(uint256 indexed seat, address indexed node, address indexed juror);
    event SeatLeft(uint256 indexed seat, uint256 returnableAt);
    event SeatReturned(uint256 indexed seat, address indexed juror, uint256 amount);
    event SeatFined(uint256 indexed seat, uint256 amount);

    error NotCourt(address caller);
    error NotOwner(address node, address caller);
    error NodeNotActive(address node);
    error BadCount(uint256 count);
    error UnknownSeat(uint256 seat);
    error SeatGone(uint256 seat);
    error SeatNotLeft(uint256 seat);
    error SeatOnDuty(uint256 seat);
    error StillLocked(uint256 until);

    /// @notice Gives seats a duty each. Requirements: the caller is the court.
    function summon(uint256[] calldata seats) external;

    /**
     * @notice Ends a duty of each seat, and fines those whose bit of `absent` is set, by their places in `seats`.
     * Effects: the fines, one unit of each that has one, go to the caller.
     * Requirements: the caller is the court.
     * @return fines in wei
     */
    function dismiss(uint256[] calldata seats, uint256 absent) external returns (uint256 fines);

    /**
     * @notice Seats that may judge, in the order of a seed. The parties and their other nodes judge nothing of theirs.
     * @return found their numbers
     * @return cursor the place after the last one looked at
     */
    function find(Search calldata search) external view returns (uint256[] memory found, uint256 cursor);

    /**
     * @notice The seed of the order of seats for one committee: the randomness of a block that was fixed before it existed.
     * Requirements: `header` is the RLP encoding of the header of block `number`, at most 8,191 blocks old.
     * @param committee what tells the committees of one block apart
     */
    function seedOf(uint256 number, bytes calldata header, bytes32 committee) external view returns (bytes32);

    /// @notice Who votes for a seat: the owner of its node.
    function jurorOf(uint256 seat) external view returns (address);

    /// @notice Numbers of seats are below it.
    function seatCount() external view returns (uint256);
}
