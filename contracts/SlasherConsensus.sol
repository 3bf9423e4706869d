// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {BinaryMerkle} from "./libraries/BinaryMerkle.sol";
import {Offences} from "./libraries/Offences.sol";
import {Packed} from "./libraries/Packed.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {SlasherBase} from "./SlasherBase.sol";

/**
 * @title Contradictions of one replica in consensus
 * @notice One permissionless transaction per offence, no arbitrator, no bond. Evidence is two signed statements of one
 * node that cannot both be honest; all of these are grave. The bounty goes to the named beneficiary, unless somebody else
 * committed to the same evidence earlier.
 *
 * @dev Formats are in docs/contracts/evidence.md; protocol/evidence encodes them and has the same predicates.
 */
contract SlasherConsensus is SlasherBase {
    uint256 private constant MODE_WRITE = 1;
    /// @dev Of the second statement of an ack fork; 0 is another acknowledgement.
    uint256 private constant FORM_CHANGE = 1;

    /// @dev What one side of a vote conflict says about the key.
    struct Side {
        bytes32 entryId;
        uint256 ts;
        uint256 mode;
    }

    /**
     * @param vault the stake vault
     * @param clusters the cluster registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters) SlasherBase(vault, clusters) {}

    /**
     * @notice Two fast votes of one view that accept incompatible entries on one version of a key (consensus §3.2 E1).
     * Incompatible: both write, or one reads at a timestamp not below the other's write.
     * Effects: the accused is tombstoned and slashed.
     * Requirements: both votes are the accused's, both accept their entry, the entries differ and their items name the key.
     */
    function reportVoteConflict(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        PicoloHashes.FastVote memory vote;
        (vote.group, vote.epoch, vote.view_) = (c.group, c.epoch, Packed.u64(pos));
        bytes32 path = Packed.word(pos + 8);
        bytes32 version = Packed.word(pos + 40);
        (Side memory a, uint256 next) = _side(c, vote, path, version, pos + 72);
        (Side memory b, uint256 end) = _side(c, vote, path, version, next);
        Packed.finish(evidence, end);
        if (a.entryId == b.entryId || !_incompatible(a, b)) {
            revert NotConflicting();
        }
        _punishGrave(c, Offences.VOTE_CONFLICT, evidence, beneficiary);
    }

    /**
     * @notice Two block votes for different blocks in one round (E2).
     * Requirements: same group, epoch, view and round; both are the accused's; the block hashes differ.
     */
    function reportDoubleBlockVote(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        PicoloHashes.BlockVote memory vote;
        (vote.group, vote.epoch, vote.view_, vote.round) = (c.group, c.epoch, Packed.u64(pos), Packed.u32(pos + 8));
        pos += 12;
        if (Packed.word(pos) == Packed.word(pos + 108)) {
            revert NotConflicting();
        }
        pos = _voted(c, vote, _voted(c, vote, pos));
        Packed.finish(evidence, pos);
        _punishGrave(c, Offences.DOUBLE_BLOCK_VOTE, evidence, beneficiary);
    }

    /**
     * @notice Two proposals for one round (E3).
     * Requirements: same group, epoch, view and round; both are the accused's; the block hashes differ.
     */
    function reportDoubleProposal(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        PicoloHashes.Proposal memory proposal;
        (proposal.group, proposal.epoch, proposal.view_, proposal.round) = (c.group, c.epoch, Packed.u64(pos), Packed.u32(pos + 8));
        pos += 12;
        if (Packed.word(pos) == Packed.word(pos + 96)) {
            revert NotConflicting();
        }
        for (uint256 i = 0; i < 2; ++i) {
            proposal.blockHash = Packed.word(pos);
            _mustSign(c, PicoloHashes.hash(proposal), pos + 32);
            pos += 96;
        }
        Packed.finish(evidence, pos);
        _punishGrave(c, Offences.DOUBLE_PROPOSAL, evidence, beneficiary);
    }

    /**
     * @notice A block vote of a later round of one view that states a lower lock than an earlier one (E4).
     * Requirements: same group, epoch and view; both are the accused's; round rises, (qcView, qcRound) falls.
     */
    function reportLockRegress(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        uint64 viewNumber = Packed.u64(pos);
        pos += 8;
        (uint32 earlier, uint32 later) = (Packed.u32(pos), Packed.u32(pos + 112));
        if (earlier >= later || _rank(pos + 36) <= _rank(pos + 148)) {
            revert NotConflicting();
        }
        pos = _blockVote(c, viewNumber, earlier, Packed.word(pos + 4), pos + 36);
        pos = _blockVote(c, viewNumber, later, Packed.word(pos + 4), pos + 36);
        Packed.finish(evidence, pos);
        _punishGrave(c, Offences.LOCK_REGRESS, evidence, beneficiary);
    }

    /**
     * @notice A view change that states a lower lock than a block vote of an earlier view (E5).
     * Requirements: same group and epoch; both are the accused's; the vote's view is below the one asked for.
     */
    function reportRankUnderreport(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        uint64 viewNumber = Packed.u64(pos);
        if (viewNumber >= Packed.u64(pos + 120) || _rank(pos + 44) <= _rank(pos + 128)) {
            revert NotConflicting();
        }
        pos = _blockVote(c, viewNumber, Packed.u32(pos + 8), Packed.word(pos + 12), pos + 44);
        pos = _viewChange(c, pos);
        Packed.finish(evidence, pos);
        _punishGrave(c, Offences.RANK_UNDERREPORT, evidence, beneficiary);
    }

    /**
     * @notice The log of acknowledgements told in two ways (E6): one position with two heads, or a view change that is
     * behind an acknowledgement of an earlier view.
     * Requirements: same group and epoch; both are the accused's.
     */
    function reportAckFork(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        uint256 form = Packed.u8(pos);
        if (form > FORM_CHANGE) {
            revert BadProof();
        }
        uint64 ackSeq = Packed.u64(pos + 9);
        // view(8) ‖ ackSeq(8) ‖ batchRoot(32) ‖ acked(32) ‖ ackHead(32) ‖ signature(64)
        (uint64 viewNumber, bytes32 head) = (Packed.u64(pos + 1), Packed.word(pos + 81));
        pos = _ack(c, pos + 1);
        bool forked;
        if (form == FORM_CHANGE) {
            (uint64 newView, uint64 reported) = (Packed.u64(pos), Packed.u64(pos + 52));
            forked = viewNumber < newView && (reported < ackSeq || (reported == ackSeq && head != Packed.word(pos + 60)));
            pos = _viewChange(c, pos);
        } else {
            forked = ackSeq == Packed.u64(pos + 8) && head != Packed.word(pos + 80);
            pos = _ack(c, pos);
        }
        Packed.finish(evidence, pos);
        if (!forked) {
            revert NotConflicting();
        }
        _punishGrave(c, Offences.ACK_FORK, evidence, beneficiary);
    }

    /**
     * @notice An acknowledged write, and a vote of the same view for a block in which another entry consumed the version
     * that it writes over (E10). Not for version zero, which an absent key has again each time (decision 0016).
     * Requirements: both are the accused's; acknowledged entry and block are opened down to the key version.
     */
    function reportAckThenConsume(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        uint64 viewNumber = Packed.u64(pos);
        bytes32 path = Packed.word(pos + 8);
        bytes32 version = Packed.word(pos + 40);
        bytes32 entryId;
        (entryId, pos) = _acknowledged(c, viewNumber, path, version, pos + 72);
        bytes32 consumer = Packed.word(pos);
        pos = _consuming(c, viewNumber, abi.encodePacked(uint8(0), path, version, consumer), pos + 32);
        Packed.finish(evidence, pos);
        if (version == 0 || consumer == entryId) {
            revert NotConflicting();
        }
        _punishGrave(c, Offences.ACK_THEN_CONSUME, evidence, beneficiary);
    }

    // ---- parts

    /// @dev blockHash(32) ‖ qcView(8) ‖ qcRound(4) ‖ signature(64): the rest of a vote whose group, epoch, view and round are set.
    function _voted(Case memory c, PicoloHashes.BlockVote memory vote, uint256 pos) private view returns (uint256) {
        (vote.blockHash, vote.qcView, vote.qcRound) = (Packed.word(pos), Packed.u64(pos + 32), Packed.u32(pos + 40));
        _mustSign(c, PicoloHashes.hash(vote), pos + 44);
        return pos + 108;
    }

    /**
     * @dev accept(32) ‖ signature(64) ‖ mode(1) ‖ opened entry: the item is in the footprint, the entry in the batch whose
     * root was voted on, and the vote, which gets its batch and bits here, accepts it.
     */
    function _side(Case memory c, PicoloHashes.FastVote memory vote, bytes32 path, bytes32 version, uint256 pos)
        private
        view
        returns (Side memory, uint256)
    {
        vote.accept = uint256(Packed.word(pos));
        uint256 mode = Packed.u8(pos + 96);
        if (mode > MODE_WRITE) {
            revert BadProof();
        }
        (bytes32 entryId, bytes32 batchRoot, uint256 next) = _entry(path, version, mode, vote.accept, pos + 97);
        vote.batchRoot = batchRoot;
        _mustSign(c, PicoloHashes.hash(vote), pos + 32);
        return (Side(entryId, Packed.integer(pos + 129, 12), mode), next);
    }

    /**
     * @dev txId(32) ‖ ts(12) ‖ item index(4) ‖ item path ‖ entry index(1) ‖ entry path: from an item to its entry to the root of
     * a batch, of whose entries `bits` has this one.
     */
    function _entry(bytes32 path, bytes32 version, uint256 mode, uint256 bits, uint256 pos)
        private
        view
        returns (bytes32 entryId, bytes32 batchRoot, uint256 next)
    {
        bytes32 root;
        (root, next) = BinaryMerkle.rootFrom(BinaryMerkle.leafOfItem(path, version, mode), Packed.u32(pos + 44), pos + 48);
        entryId = BinaryMerkle.entryId(pos, root);
        uint256 index = Packed.u8(next);
        if ((bits >> index) & 1 == 0) {
            revert NotAccepted(index);
        }
        (batchRoot, next) = BinaryMerkle.rootFrom(BinaryMerkle.leafOfWord(entryId), index, next + 1);
    }

    /// @dev Two writes; or a read at or after the other's write (consensus §2.2).
    function _incompatible(Side memory a, Side memory b) private pure returns (bool) {
        if (a.mode == MODE_WRITE) {
            return b.mode == MODE_WRITE || b.ts >= a.ts;
        }
        return b.mode == MODE_WRITE && a.ts >= b.ts;
    }

    /// @dev (qcView, qcRound) at `pos` as one number that orders like the pair.
    function _rank(uint256 pos) private pure returns (uint256) {
        return Packed.integer(pos, 12);
    }

    /// @dev qcView(8) ‖ qcRound(4) ‖ signature(64).
    function _blockVote(Case memory c, uint64 viewNumber, uint32 round, bytes32 blockHash, uint256 pos) private view returns (uint256) {
        PicoloHashes.BlockVote memory vote =
            PicoloHashes.BlockVote(c.group, c.epoch, viewNumber, round, blockHash, Packed.u64(pos), Packed.u32(pos + 8));
        _mustSign(c, PicoloHashes.hash(vote), pos + 12);
        return pos + 76;
    }

    /// @dev newView(8) ‖ qcView(8) ‖ qcRound(4) ‖ qcBlock(32) ‖ ackSeq(8) ‖ ackHead(32) ‖ ackedRoot(32) ‖ signature(64).
    function _viewChange(Case memory c, uint256 pos) private view returns (uint256) {
        PicoloHashes.ViewChange memory change;
        (change.group, change.epoch, change.newView) = (c.group, c.epoch, Packed.u64(pos));
        (change.qcView, change.qcRound, change.qcBlock) = (Packed.u64(pos + 8), Packed.u32(pos + 16), Packed.word(pos + 20));
        (change.ackSeq, change.ackHead, change.ackedRoot) = (Packed.u64(pos + 52), Packed.word(pos + 60), Packed.word(pos + 92));
        _mustSign(c, PicoloHashes.hash(change), pos + 124);
        return pos + 188;
    }

    /// @dev view(8) ‖ ackSeq(8) ‖ batchRoot(32) ‖ acked(32) ‖ ackHead(32) ‖ signature(64).
    function _ack(Case memory c, uint256 pos) private view returns (uint256) {
        PicoloHashes.FastAck memory ack;
        (ack.group, ack.epoch, ack.view_, ack.ackSeq) = (c.group, c.epoch, Packed.u64(pos), Packed.u64(pos + 8));
        (ack.batchRoot, ack.acked, ack.ackHead) = (Packed.word(pos + 16), uint256(Packed.word(pos + 48)), Packed.word(pos + 80));
        _mustSign(c, PicoloHashes.hash(ack), pos + 112);
        return pos + 176;
    }

    /// @dev acked(32) ‖ ackSeq(8) ‖ ackHead(32) ‖ signature(64) ‖ opened entry, which writes.
    function _acknowledged(Case memory c, uint64 viewNumber, bytes32 path, bytes32 version, uint256 pos)
        private
        view
        returns (bytes32 entryId, uint256 next)
    {
        PicoloHashes.FastAck memory ack;
        (ack.group, ack.epoch, ack.view_) = (c.group, c.epoch, viewNumber);
        (ack.acked, ack.ackSeq, ack.ackHead) = (uint256(Packed.word(pos)), Packed.u64(pos + 32), Packed.word(pos + 40));
        (entryId, ack.batchRoot, next) = _entry(path, version, MODE_WRITE, ack.acked, pos + 136);
        _mustSign(c, PicoloHashes.hash(ack), pos + 72);
    }

    /**
     * @dev effect index(4) ‖ effect path ‖ round(4) ‖ height(8) ‖ parent(32) ‖ kind(1) ‖ closeTs(12) ‖ maxTs(12) ‖ count(4) ‖
     * entriesRoot(32) ‖ outcomeRoot(32) ‖ tcRoot(32) ‖ next(32) ‖ qcView(8) ‖ qcRound(4) ‖ signature(64): the effect is in the block,
     * whose header is hashed as in protocol/consensus (tag 3, fields in order), and the block was voted for.
     */
    function _consuming(Case memory c, uint64 viewNumber, bytes memory effect, uint256 pos) private view returns (uint256) {
        (bytes32 effectsRoot, uint256 h) = BinaryMerkle.rootFrom(sha256(effect), Packed.u32(pos), pos + 4);
        uint32 round = Packed.u32(h);
        bytes32 blockHash = sha256(
            bytes.concat(
                abi.encodePacked(uint8(3), c.group, c.epoch, viewNumber),
                Packed.copy(h, 105),
                effectsRoot,
                Packed.copy(h + 105, 96)
            )
        );
        return _blockVote(c, viewNumber, round, blockHash, h + 201);
    }
}
