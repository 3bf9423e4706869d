// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDisputeCourt} from "./interfaces/IDisputeCourt.sol";
import {IJurorSeats} from "./interfaces/IJurorSeats.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ISystemParams} from "./interfaces/ISystemParams.sol";
import {BlockSeed} from "./libraries/BlockSeed.sol";
import {DisputeMath} from "./libraries/DisputeMath.sol";

/**
 * @title Committees and their votes
 * @notice The randomness of a block that was fixed before it existed orders all seats; the first that may judge are the committee.
 * Their votes are committed to before any is shown.
 */
abstract contract DisputeCommittees is IDisputeCourt {
    /// @notice Most seats that one call of `draw` looks at; the next call goes on.
    uint256 public constant LOOKS = 64;
    uint256 private constant PER_WORD = 8;

    /// @notice The vault: who owns a node, whose stake a verdict takes.
    IStakeVault public immutable VAULT;
    /// @notice The seats of jurors.
    IJurorSeats public immutable SEATS;
    /// @notice The parameters: notice of draws.
    ISystemParams public immutable PARAMS;

    uint256 private _count;
    mapping(uint256 id => Dispute) private _disputes;
    mapping(uint256 id => Round[2]) private _rounds;
    /// @dev A commitment, or after the reveal the number of the vote.
    mapping(bytes32 ballot => uint256) private _votes;

    constructor(IStakeVault vault, IJurorSeats seats, ISystemParams params) {
        (VAULT, SEATS, PARAMS) = (vault, seats, params);
    }

    /**
     * @notice Finds the committee of the current round, or goes on finding it. Anybody may.
     * Effects: seats in the order of the seed join until the committee is full, at most LOOKS are looked at.
     * Requirements: the block of the seed exists and, at the first call, `header` is its RLP-encoded header; the time to commit is not
     * over; the committee is not full and not all seats were looked at. With too few seats a dispute ends undecided.
     */
    function draw(uint256 id, bytes calldata header) external {
        (Dispute storage dispute, uint256 round) = _current(id);
        _notAfter(DisputeMath.commitBy(dispute.openedAt, round));
        Round storage r = _rounds[id][round];
        if (r.size == DisputeMath.seatsOf(round)) {
            revert CommitteeComplete();
        }
        if (r.seed == 0) {
            r.seed = SEATS.seedOf(r.seedBlock, header, keccak256(abi.encode(id, round)));
        }
        _look(id, round, dispute);
    }

    /**
     * @notice Fixes another block when the chain has forgotten the first one. Anybody may.
     * Requirements: nobody has shown the header; the block is more than BlockSeed.HISTORY blocks old; the time to commit is not over.
     */
    function moveSeed(uint256 id) external {
        (Dispute storage dispute, uint256 round) = _current(id);
        _notAfter(DisputeMath.commitBy(dispute.openedAt, round));
        Round storage r = _rounds[id][round];
        if (r.seed != 0 || block.number <= r.seedBlock + BlockSeed.HISTORY) {
            revert SeedKnown(r.seedBlock);
        }
        emit SeedMoved(id, round, _fixSeed(id, round));
    }

    /**
     * @notice Binds a juror to a vote that nobody can read: keccak of `abi.encode(id, round, place, juror, vote, salt)`.
     * Requirements: the committee is full and the seat at `place` the caller's; once; in the first round after the time to answer, in
     * each round while its time to commit lasts.
     */
    function commit(uint256 id, uint256 place, bytes32 commitment) external {
        (Dispute storage dispute, uint256 round) = _current(id);
        if (round == 0) {
            _after(dispute.openedAt + DisputeMath.ANSWER_BY);
        }
        _notAfter(DisputeMath.commitBy(dispute.openedAt, round));
        if (_jurorAt(id, round, place) != msg.sender) {
            revert NotJuror(place, msg.sender);
        }
        bytes32 ballot = _ballot(id, round, place);
        if (_votes[ballot] != 0) {
            revert AlreadyVoted(place);
        }
        if (uint256(commitment) <= type(uint8).max) {
            revert BadCommitment(); // would be read as a vote
        }
        _votes[ballot] = uint256(commitment);
        emit VoteCommitted(id, round, place, msg.sender);
    }

    /**
     * @notice Opens a vote. Anybody who knows its secret may.
     * Requirements: the time to commit is over, the time to reveal is not; `vote` and `salt` are those of the commitment at `place`.
     */
    function reveal(uint256 id, uint256 place, Verdict vote, bytes32 salt) external {
        (Dispute storage dispute, uint256 round) = _current(id);
        _after(DisputeMath.commitBy(dispute.openedAt, round));
        _notAfter(DisputeMath.revealBy(dispute.openedAt, round));
        address juror = _jurorAt(id, round, place);
        bytes32 ballot = _ballot(id, round, place);
        bool known = _votes[ballot] == uint256(commitmentFor(id, round, place, juror, vote, salt));
        if (!known || (vote != Verdict.Upheld && vote != Verdict.Rejected)) {
            revert WrongReveal(place);
        }
        _votes[ballot] = uint256(vote);
        if (vote == Verdict.Upheld) {
            ++_rounds[id][round].upheld;
        } else {
            ++_rounds[id][round].rejected;
        }
        emit VoteRevealed(id, round, place, juror, vote);
    }

    // ---- views

    /// @notice A dispute; all zero when there is none with this number.
    function disputeOf(uint256 id) external view returns (Dispute memory) {
        return _disputes[id];
    }

    /// @notice Number of the newest dispute; the first is 1.
    function disputeCount() external view returns (uint256) {
        return _count;
    }

    /// @notice Round 0 or, after an appeal, 1.
    function roundOf(uint256 id, uint256 round) external view returns (Round memory) {
        return _rounds[id][round];
    }

    /// @notice Seats of a committee by their places, as far as it was drawn.
    function committeeOf(uint256 id, uint256 round) public view returns (uint256[] memory seats) {
        Round storage r = _rounds[id][round];
        seats = new uint256[](r.size);
        for (uint256 i = 0; i < seats.length; ++i) {
            seats[i] = _seatIn(r, i);
        }
    }

    /// @notice Whether the juror at a place has committed, and its vote once it was revealed.
    function voteAt(uint256 id, uint256 round, uint256 place) external view returns (bool committed, Verdict vote) {
        uint256 word = _votes[_ballot(id, round, place)];
        return (word != 0, _voteIn(word));
    }

    /// @notice What a juror commits to.
    function commitmentFor(uint256 id, uint256 round, uint256 place, address juror, Verdict vote, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(id, round, place, juror, vote, salt));
    }

    // ---- inside

    function _begin(Dispute memory dispute) internal returns (uint256 id, uint256 seedBlock) {
        id = ++_count;
        _disputes[id] = dispute;
        seedBlock = _fixSeed(id, 0);
    }

    /// @dev Fixes the block whose randomness orders the seats of a round.
    function _fixSeed(uint256 id, uint256 round) internal returns (uint256 seedBlock) {
        seedBlock = block.number + PARAMS.draw().delay;
        _rounds[id][round].seedBlock = uint64(seedBlock);
    }

    function _look(uint256 id, uint256 round, Dispute memory dispute) private {
        Round storage r = _rounds[id][round];
        if (r.cursor == dispute.pool) {
            revert NotDrawn(r.size);
        }
        (uint256[] memory found, uint256 cursor) = SEATS.find(
            IJurorSeats.Search(
                r.seed, dispute.pool, r.cursor, LOOKS, DisputeMath.seatsOf(round) - r.size, dispute.openedAt, dispute.plaintiff,
                _ownerOf(dispute.node), round == 0 ? new uint256[](0) : committeeOf(id, 0)
            )
        );
        r.cursor = uint32(cursor);
        _seat(id, round, found);
    }

    function _seat(uint256 id, uint256 round, uint256[] memory found) private {
        Round storage r = _rounds[id][round];
        uint256 size = r.size;
        for (uint256 i = 0; i < found.length; ++i) {
            r.seats[size / PER_WORD] |= found[i] << (32 * (size % PER_WORD));
            ++size;
        }
        r.size = uint8(size);
        SEATS.summon(found);
        if (size == DisputeMath.seatsOf(round)) {
            emit CommitteeDrawn(id, round, r.seed, committeeOf(id, round));
        }
    }

    /// @dev Ends the round's duties. Returns what places without a vote lose for it, in wei; those of an incomplete committee owed none.
    function _dismiss(uint256 id, uint256 round) internal returns (uint256 fines) {
        uint256[] memory seats = committeeOf(id, round);
        uint256 absent = 0;
        for (uint256 i = 0; i < seats.length; ++i) {
            if (_voteIn(_votes[_ballot(id, round, i)]) == Verdict.None) {
                absent |= 1 << i;
            }
        }
        return SEATS.dismiss(seats, seats.length == DisputeMath.seatsOf(round) ? absent : 0);
    }

    /// @dev Jurors of the places whose vote is `verdict`, or who voted at all when it is Undecided.
    function _votersOf(uint256 id, uint256 round, Verdict verdict) internal view returns (address[] memory jurors) {
        uint256[] memory seats = committeeOf(id, round);
        jurors = new address[](seats.length);
        uint256 count = 0;
        for (uint256 i = 0; i < seats.length; ++i) {
            Verdict vote = _voteIn(_votes[_ballot(id, round, i)]);
            if (vote != Verdict.None && (verdict == Verdict.Undecided || vote == verdict)) {
                jurors[count++] = SEATS.jurorOf(seats[i]);
            }
        }
        assembly ("memory-safe") {
            mstore(jurors, count) // shorter, never longer
        }
    }

    /// @dev What the committee of a round decided, and whether it was complete.
    function _resultOf(uint256 id, uint256 round) internal view returns (Verdict verdict, bool complete) {
        Round storage r = _rounds[id][round];
        uint256 seats = DisputeMath.seatsOf(round);
        return (DisputeMath.verdictOf(seats, r.upheld, r.rejected), r.size == seats);
    }

    /// @dev Requirements: it exists.
    function _find(uint256 id) internal view returns (Dispute storage dispute) {
        dispute = _disputes[id];
        if (dispute.openedAt == 0) {
            revert UnknownDispute(id);
        }
    }

    /// @dev The dispute and its round. Requirements: it exists and was not settled.
    function _current(uint256 id) internal view returns (Dispute storage dispute, uint256 round) {
        dispute = _find(id);
        if (dispute.verdict != Verdict.None) {
            revert Settled(dispute.verdict);
        }
        round = dispute.appealed ? 1 : 0;
    }

    function _jurorAt(uint256 id, uint256 round, uint256 place) private view returns (address) {
        Round storage r = _rounds[id][round];
        if (r.size != DisputeMath.seatsOf(round)) {
            revert NotDrawn(r.size);
        }
        if (place >= r.size) {
            revert NotJuror(place, msg.sender);
        }
        return SEATS.jurorOf(_seatIn(r, place));
    }

    function _ownerOf(address node) internal view returns (address) {
        return VAULT.holderOf(node);
    }

    function _after(uint256 time) internal view {
        if (block.timestamp <= time) {
            revert TooEarly(time + 1);
        }
    }

    function _notAfter(uint256 time) internal view {
        if (block.timestamp > time) {
            revert TooLate(time);
        }
    }

    function _seatIn(Round storage r, uint256 place) private view returns (uint256) {
        return uint32(r.seats[place / PER_WORD] >> (32 * (place % PER_WORD)));
    }

    function _voteIn(uint256 word) private pure returns (Verdict) {
        return word <= type(uint8).max ? Verdict(word) : Verdict.None;
    }

    function _ballot(uint256 id, uint256 round, uint256 place) private pure returns (bytes32) {
        return keccak256(abi.encode("picolo.ballot", id, round, place));
    }
}
