// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Types, events and errors of the dispute court
interface IDisputeCourt {
    /**
     * @dev What is claimed of a node. WrongResult: a signed result of general SQL is not that of the snapshot. Withheld: it refuses
     * what it must serve. FalseEgress: it reports traffic that it did not serve. FalseRegion: it is not where it says.
     */
    enum Kind { WrongResult, Withheld, FalseEgress, FalseRegion }

    /// @dev A vote is Upheld or Rejected; a dispute ends with one of these or Undecided. None: it goes on, or no vote is known.
    enum Verdict { None, Undecided, Upheld, Rejected }

    /// @dev Four slots. `pool`: seats that existed when it was opened. `claim`: digest of the signed statement, or the plaintiff's hash.
    struct Dispute {
        address plaintiff;
        uint40 openedAt;
        Kind kind;
        Verdict verdict;
        bool answered;
        bool appealed;
        address node;
        uint32 pool;
        bytes32 claim;
        bytes32 group;
    }

    /// @dev Four slots. `cursor`: places of the order looked at; `size`: seats found; `seats`: their numbers, 32 bits each.
    struct Round {
        uint64 seedBlock;
        uint32 cursor;
        uint8 size;
        uint8 upheld;
        uint8 rejected;
        bytes32 seed;
        uint256[2] seats;
    }

    event DisputeOpened(
        uint256 indexed id, address indexed node, address indexed plaintiff, Kind kind, bytes32 group, bytes32 claim, uint256 seedBlock, string uri
    );
    event DisputeAnswered(uint256 indexed id, bytes32 reason, string uri);
    event SeedMoved(uint256 indexed id, uint256 round, uint256 seedBlock);
    event CommitteeDrawn(uint256 indexed id, uint256 round, bytes32 seed, uint256[] seats);
    event VoteCommitted(uint256 indexed id, uint256 round, uint256 place, address indexed juror);
    event VoteRevealed(uint256 indexed id, uint256 round, uint256 place, address indexed juror, Verdict vote);
    event DisputeAppealed(uint256 indexed id, address indexed by, uint256 seedBlock, bytes32 reason, string uri);
    /// @dev `taken`: stake that the vault took; `fees`: what jurors earned of the bonds.
    event DisputeSettled(uint256 indexed id, Verdict verdict, uint256 taken, uint256 fees);
    event Credited(address indexed account, uint256 amount);
    event Collected(address indexed account, uint256 amount);

    error DoesNotFit(uint256 need, uint256 given);
    error NotOwner(address node, address caller);
    error NodeNotActive(address node);
    error OwnNode(address node);
    error UnknownDispute(uint256 id);
    error Settled(Verdict verdict);
    error AlreadyDisputed(uint256 id);
    error StatementNeeded();
    error UnknownSigner(address signer);
    error NotQuerier(address querier);
    error UnknownEpoch(bytes32 group, uint64 epoch);
    error EvidenceExpired(uint256 endedAt);
    error UriTooLong(uint256 length);
    error AlreadyAnswered();
    error AlreadyAppealed();
    error NothingToAppeal(Verdict verdict);
    error NotTheLoser(address caller);
    error TooEarly(uint256 from);
    error TooLate(uint256 until);
    error CommitteeComplete();
    error SeedKnown(uint256 seedBlock);
    error NotDrawn(uint256 size);
    error NotJuror(uint256 place, address caller);
    error AlreadyVoted(uint256 place);
    error BadCommitment();
    error WrongReveal(uint256 place);
    error NothingOwed(address account);
}
