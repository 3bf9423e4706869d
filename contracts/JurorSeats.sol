// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IJurorSeats} from "./interfaces/IJurorSeats.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {BlockSeed} from "./libraries/BlockSeed.sol";
import {DisputeMath} from "./libraries/DisputeMath.sol";
import {SeatOrder} from "./libraries/SeatOrder.sol";

/**
 * @title Seats of jurors
 * @notice Owners of serving nodes take seats, each with a deposit. A seat counts for disputes that are opened when it has matured, and
 * goes on counting for those until they are over, also after its juror has left: nobody can step into or out of a committee once a
 * dispute is known.
 * @dev A seat that was given back is taken again by the next juror, so the list is never longer than the most seats that stood at once.
 */
contract JurorSeats is IJurorSeats {
    using SafeERC20 for IERC20;

    /// @notice What a juror loses for a vote that it did not reveal, in wei.
    uint256 public constant PENALTY = 10e18;
    /// @notice Deposit of a seat, in units of PENALTY.
    uint8 public constant SEAT_UNITS = 50;
    /// @notice A seat counts for disputes opened so long after it was taken, in seconds.
    uint256 public constant MATURITY = 1 days;
    /// @notice From leaving until the deposit comes back, in seconds: longer than any dispute opened before.
    uint256 public constant LEAVE_TIME = DisputeMath.WHOLE + 1 days;
    /// @notice Most seats of one call.
    uint256 public constant MAX_BATCH = 32;

    /// @notice The vault: who owns a node and whether it serves.
    IStakeVault public immutable VAULT;
    /// @notice The token of deposits.
    IERC20 public immutable PINT;
    /// @notice The court, which alone gives duties and fines.
    address public immutable COURT;

    Seat[] private _seats;
    uint32[] private _free;

    /**
     * @param vault the stake vault
     * @param pint the work token
     * @param court the dispute court
     */
    constructor(IStakeVault vault, IERC20 pint, address court) {
        (VAULT, PINT, COURT) = (vault, pint, court);
    }

    /**
     * @notice Takes `count` seats for the caller's node.
     * Effects: the deposits are held; the seats count for disputes opened MATURITY from now or later.
     * Requirements: the caller owns the node, which is active; 1 to MAX_BATCH seats; an approval of SEAT_UNITS * PENALTY for each.
     */
    function takeSeats(address node, uint256 count) external {
        _mustOwn(node);
        if (!_serves(node)) {
            revert NodeNotActive(node);
        }
        _mustBeFew(count);
        for (uint256 i = 0; i < count; ++i) {
            emit SeatTaken(_place(Seat(node, uint40(block.timestamp), 0, SEAT_UNITS, 0)), node, msg.sender);
        }
        PINT.safeTransferFrom(msg.sender, address(this), count * SEAT_UNITS * PENALTY);
    }

    /**
     * @notice Leaves seats. They stay in disputes that are open.
     * Effects: they count for no later dispute; their deposits can be taken back after LEAVE_TIME.
     * Requirements: the caller owns the node of each; none has left before; 1 to MAX_BATCH.
     */
    function leaveSeats(uint256[] calldata seats) external {
        _mustBeFew(seats.length);
        for (uint256 i = 0; i < seats.length; ++i) {
            Seat storage seat = _seat(seats[i]);
            _mustOwn(seat.node);
            if (seat.leftAt != 0) {
                revert SeatGone(seats[i]);
            }
            seat.leftAt = uint40(block.timestamp);
            emit SeatLeft(seats[i], block.timestamp + LEAVE_TIME);
        }
    }

    /**
     * @notice Pays what is left of the deposits of seats that were left to their jurors. Anybody may.
     * Requirements: LEAVE_TIME has passed; no seat is in a committee that was not settled (anybody may settle it); 1 to MAX_BATCH.
     */
    function returnSeats(uint256[] calldata seats) external {
        _mustBeFew(seats.length);
        for (uint256 i = 0; i < seats.length; ++i) {
            Seat memory seat = _seat(seats[i]);
            if (seat.leftAt == 0) {
                revert SeatNotLeft(seats[i]);
            }
            if (block.timestamp < seat.leftAt + LEAVE_TIME) {
                revert StillLocked(seat.leftAt + LEAVE_TIME);
            }
            if (seat.duties != 0) {
                revert SeatOnDuty(seats[i]);
            }
            address juror = _ownerOf(seat.node);
            uint256 amount = seat.units * PENALTY;
            delete _seats[seats[i]];
            _free.push(uint32(seats[i]));
            emit SeatReturned(seats[i], juror, amount);
            PINT.safeTransfer(juror, amount);
        }
    }

    // ---- court

    /// @inheritdoc IJurorSeats
    function summon(uint256[] calldata seats) external {
        _mustBeCourt();
        for (uint256 i = 0; i < seats.length; ++i) {
            ++_seats[seats[i]].duties;
        }
    }

    /// @inheritdoc IJurorSeats
    function dismiss(uint256[] calldata seats, uint256 absent) external returns (uint256 fines) {
        _mustBeCourt();
        for (uint256 i = 0; i < seats.length; ++i) {
            Seat storage seat = _seats[seats[i]];
            --seat.duties;
            if ((absent >> i) & 1 == 1 && seat.units != 0) {
                --seat.units;
                fines += PENALTY;
                emit SeatFined(seats[i], PENALTY);
            }
        }
        if (fines != 0) {
            PINT.safeTransfer(COURT, fines);
        }
    }

    // ---- views

    /// @inheritdoc IJurorSeats
    function find(Search calldata search) external view returns (uint256[] memory found, uint256 cursor) {
        found = new uint256[](search.wanted);
        uint256 count = 0;
        cursor = search.cursor;
        uint256 end = cursor + search.looks < search.pool ? cursor + search.looks : search.pool;
        while (cursor < end && count < search.wanted) {
            uint256 seat = SeatOrder.seatAt(search.seed, cursor++, search.pool);
            if (_maySit(_seats[seat], search) && !_contains(search.earlier, seat)) {
                found[count++] = seat;
            }
        }
        assembly ("memory-safe") {
            mstore(found, count) // shorter, never longer
        }
    }

    /// @inheritdoc IJurorSeats
    function seedOf(uint256 number, bytes calldata header, bytes32 committee) external view returns (bytes32) {
        return keccak256(abi.encode(BlockSeed.read(number, header), committee));
    }

    /// @inheritdoc IJurorSeats
    function jurorOf(uint256 number) external view returns (address) {
        return _ownerOf(_seats[number].node);
    }

    /// @notice A seat; all zero while nobody has it.
    function seatOf(uint256 number) external view returns (Seat memory) {
        return number < _seats.length ? _seats[number] : Seat(address(0), 0, 0, 0, 0);
    }

    /// @inheritdoc IJurorSeats
    function seatCount() external view returns (uint256) {
        return _seats.length;
    }

    // ---- inside

    function _place(Seat memory seat) private returns (uint256 number) {
        uint256 waiting = _free.length;
        if (waiting == 0) {
            _seats.push(seat);
            return _seats.length - 1;
        }
        number = _free[waiting - 1];
        _free.pop();
        _seats[number] = seat;
    }

    function _seat(uint256 number) private view returns (Seat storage seat) {
        if (number >= _seats.length || _seats[number].node == address(0)) {
            revert UnknownSeat(number);
        }
        return _seats[number];
    }

    function _maySit(Seat memory seat, Search calldata search) private view returns (bool) {
        bool counts = seat.units != 0 && seat.duties != type(uint8).max && seat.takenAt + MATURITY <= search.openedAt
            && (seat.leftAt == 0 || seat.leftAt > search.openedAt);
        if (!counts || !_serves(seat.node)) {
            return false;
        }
        address juror = _ownerOf(seat.node);
        return juror != search.plaintiff && juror != search.accused;
    }

    function _contains(uint256[] calldata set, uint256 wanted) private pure returns (bool) {
        for (uint256 i = 0; i < set.length; ++i) {
            if (set[i] == wanted) {
                return true;
            }
        }
        return false;
    }

    function _ownerOf(address node) private view returns (address) {
        return VAULT.holderOf(node);
    }

    function _serves(address node) private view returns (bool) {
        return VAULT.accountOf(node).status == IStakeVault.Status.Active;
    }

    function _mustOwn(address node) private view {
        if (_ownerOf(node) != msg.sender) {
            revert NotOwner(node, msg.sender);
        }
    }

    function _mustBeCourt() private view {
        if (msg.sender != COURT) {
            revert NotCourt(msg.sender);
        }
    }

    function _mustBeFew(uint256 count) private pure {
        if (count == 0 || count > MAX_BATCH) {
            revert BadCount(count);
        }
    }
}
