// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {BinaryMerkle} from "./libraries/BinaryMerkle.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Packed} from "./libraries/Packed.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {PrefixTree} from "./libraries/PrefixTree.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {WriterSignature} from "./libraries/WriterSignature.sol";
import {SlasherBase} from "./SlasherBase.sol";

/**
 * @title Offences that a contract can judge alone
 * @notice One permissionless transaction per offence, no arbitrator, no bond. Evidence is two signed statements of one
 * node that cannot both be honest, or one statement against a certificate of its group. For votes the reward goes to the
 * named beneficiary; for answers to the querier inside the signed answer, whoever submits.
 *
 * @dev Formats are in docs/contracts/evidence.md; protocol/evidence encodes them and has the same predicates. Every
 * field is read from packed calldata and every parser must stop exactly at the end of its evidence.
 */
contract SlasherObjective is SlasherBase {
    /// @notice Two compatible votes, or a vote that does not accept the entry, prove nothing.
    error NotAccepted(uint256 index);

    uint8 public constant VOTE_CONFLICT = 1;
    uint8 public constant DOUBLE_BLOCK_VOTE = 2;
    uint8 public constant DOUBLE_PROPOSAL = 3;
    uint8 public constant FALSE_CHECKPOINT = 4;
    uint8 public constant FALSE_ANSWER = 5;
    uint8 public constant FORGED_ROW = 6;

    uint256 private constant MODE_WRITE = 1;
    uint256 private constant FORM_PRESENT = 0;
    uint256 private constant FORM_ABSENT = 1;
    uint256 private constant FORM_EMPTY = 2;
    uint256 private constant FORM_CERTIFICATE = 3;

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
        (Case memory c, uint256 pos) = _open(evidence);
        uint64 viewNumber = Packed.u64(pos);
        bytes32 path = Packed.word(pos + 8);
        bytes32 version = Packed.word(pos + 40);
        Side memory a;
        Side memory b;
        (a, pos) = _side(c, viewNumber, path, version, pos + 72);
        (b, pos) = _side(c, viewNumber, path, version, pos);
        Packed.finish(evidence, pos);
        if (a.entryId == b.entryId || !_incompatible(a, b)) {
            revert NotConflicting();
        }
        _punishGrave(c, VOTE_CONFLICT, beneficiary);
    }

    /**
     * @notice Two block votes for different blocks in one round (E2).
     * Requirements: same group, epoch, view and round; both are the accused's; the block hashes differ.
     */
    function reportDoubleBlockVote(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _open(evidence);
        PicoloHashes.BlockVote memory vote;
        (vote.group, vote.epoch, vote.view_, vote.round) = (c.group, c.epoch, Packed.u64(pos), Packed.u32(pos + 8));
        pos += 12;
        if (Packed.word(pos) == Packed.word(pos + 108)) {
            revert NotConflicting();
        }
        for (uint256 i = 0; i < 2; ++i) {
            (vote.blockHash, vote.qcView, vote.qcRound) = (Packed.word(pos), Packed.u64(pos + 32), Packed.u32(pos + 40));
            _mustSign(c, PicoloHashes.hash(vote), pos + 44);
            pos += 108;
        }
        Packed.finish(evidence, pos);
        _punishGrave(c, DOUBLE_BLOCK_VOTE, beneficiary);
    }

    /**
     * @notice Two proposals for one round (E3).
     * Requirements: same group, epoch, view and round; both are the accused's; the block hashes differ.
     */
    function reportDoubleProposal(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _open(evidence);
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
        _punishGrave(c, DOUBLE_PROPOSAL, beneficiary);
    }

    /**
     * @notice A checkpoint signed by the accused against the certified one of the same height (E7).
     * Requirements: the other checkpoint has a certificate; state root or detail differ.
     */
    function reportFalseCheckpoint(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _open(evidence);
        uint64 height = Packed.u64(pos);
        bytes32 certified;
        (certified, pos) = _certified(c, height, pos + 8);
        bytes32 claimed = PicoloHashes.hash(
            PicoloHashes.Checkpoint(c.group, c.epoch, height, Packed.word(pos), Packed.word(pos + 32))
        );
        if (claimed == certified) {
            revert NotConflicting();
        }
        _mustSign(c, claimed, pos + 64);
        Packed.finish(evidence, pos + 128);
        _punishGrave(c, FALSE_CHECKPOINT, beneficiary);
    }

    /**
     * @notice An answer that contradicts its own state root (another row is there, or none), or whose root is not the
     * certified one of its height (E8).
     * Effects: the accused climbs the ladder; the reward goes to the answer's querier.
     */
    function reportFalseAnswer(bytes calldata evidence) external {
        (Case memory c, uint256 pos) = _open(evidence);
        PicoloHashes.Answer memory answer;
        (answer, pos) = _answer(c, pos);
        uint256 form = Packed.u8(pos);
        pos = form == FORM_CERTIFICATE ? _againstCertificate(c, answer, pos + 1) : _againstOwnRoot(answer, form, pos + 1);
        Packed.finish(evidence, pos);
        _punishLesser(c, FALSE_ANSWER, answer.querier, answer.issuedAt);
    }

    /**
     * @notice An answered row whose writer signature, its own or a batch's, is not the claimed writer's.
     * Effects: as for a false answer.
     * Requirements: the answer is the accused's and holds the hash of the packed signature shown, which is not its writer's.
     */
    function reportForgedRow(bytes calldata evidence) external {
        (Case memory c, uint256 pos) = _open(evidence);
        PicoloHashes.RowAnswer memory row;
        (row.group, row.epoch, row.seq) = (c.group, c.epoch, Packed.u64(pos));
        (row.path, row.rowHash, row.transaction) = (Packed.word(pos + 8), Packed.word(pos + 40), Packed.word(pos + 72));
        (row.writer, row.querier, row.issuedAt) = (Packed.account(pos + 104), Packed.account(pos + 124), Packed.u64(pos + 144));
        uint256 length = WriterSignature.lengthAt(evidence, pos + 216);
        Packed.finish(evidence, pos + 216 + length);
        row.signatureHash = Packed.keccak(pos + 216, length);
        _mustSign(c, PicoloHashes.hash(row), pos + 152);
        if (WriterSignature.isBy(c.domain, row.transaction, row.writer, pos + 216, length)) {
            revert NotConflicting();
        }
        _punishLesser(c, FORGED_ROW, row.querier, row.issuedAt);
    }

    // ---- parts

    /**
     * @dev batchRoot(32) ‖ accept(32) ‖ signature(64) ‖ txId(32) ‖ ts(12) ‖ mode(1) ‖ item index(4) ‖ item path ‖ entry index(1) ‖
     * entry path: the item is in the footprint, the entry in the batch, and the vote accepts it.
     */
    function _side(Case memory c, uint64 viewNumber, bytes32 path, bytes32 version, uint256 pos)
        private
        view
        returns (Side memory side, uint256 next)
    {
        bytes32 batchRoot = Packed.word(pos);
        uint256 accept = uint256(Packed.word(pos + 32));
        _mustSign(c, PicoloHashes.hash(PicoloHashes.FastVote(c.group, c.epoch, viewNumber, batchRoot, accept)), pos + 64);
        side.mode = Packed.u8(pos + 172);
        side.ts = Packed.integer(pos + 160, 12);
        bytes32 root;
        (root, next) = BinaryMerkle.rootFrom(BinaryMerkle.leafOfItem(path, version, side.mode), Packed.u32(pos + 173), pos + 177);
        side.entryId = sha256(abi.encodePacked(uint8(2), Packed.word(pos + 128), uint96(side.ts), root));
        uint256 index = Packed.u8(next);
        (root, next) = BinaryMerkle.rootFrom(BinaryMerkle.leafOfWord(side.entryId), index, next + 1);
        if (root != batchRoot || side.mode > MODE_WRITE) {
            revert BadProof();
        }
        if ((accept >> index) & 1 == 0) {
            revert NotAccepted(index);
        }
    }

    /// @dev Two writes; or a read at or after the other's write (consensus §2.2).
    function _incompatible(Side memory a, Side memory b) private pure returns (bool) {
        if (a.mode == MODE_WRITE) {
            return b.mode == MODE_WRITE || b.ts >= a.ts;
        }
        return b.mode == MODE_WRITE && a.ts >= b.ts;
    }

    /// @dev stateRoot(32) ‖ detail(32) ‖ certificate. Returns the struct hash of the certified checkpoint.
    function _certified(Case memory c, uint64 height, uint256 pos) private view returns (bytes32 structHash, uint256 next) {
        structHash = PicoloHashes.hash(PicoloHashes.Checkpoint(c.group, c.epoch, height, Packed.word(pos), Packed.word(pos + 32)));
        next = Quorum.check(Eip712.digest(c.domain, structHash), c.rosterAt, c.size, pos + 64);
    }

    /// @dev height(8) ‖ minHeight(8) ‖ seq(8) ‖ stateRoot(32) ‖ path(32) ‖ rowHash(32) ‖ request(32) ‖ querier(20) ‖ issuedAt(8) ‖ signature(64).
    function _answer(Case memory c, uint256 pos) private view returns (PicoloHashes.Answer memory answer, uint256 next) {
        (answer.group, answer.epoch) = (c.group, c.epoch);
        (answer.height, answer.minHeight, answer.seq) = (Packed.u64(pos), Packed.u64(pos + 8), Packed.u64(pos + 16));
        (answer.stateRoot, answer.path, answer.rowHash) = (Packed.word(pos + 24), Packed.word(pos + 56), Packed.word(pos + 88));
        answer.request = Packed.word(pos + 120);
        (answer.querier, answer.issuedAt) = (Packed.account(pos + 152), Packed.u64(pos + 172));
        _mustSign(c, PicoloHashes.hash(answer), pos + 180);
        next = pos + 244;
    }

    function _againstCertificate(Case memory c, PicoloHashes.Answer memory answer, uint256 pos) private view returns (uint256 next) {
        if (answer.stateRoot == Packed.word(pos)) {
            revert NotConflicting();
        }
        (, next) = _certified(c, answer.height, pos);
    }

    function _againstOwnRoot(PicoloHashes.Answer memory answer, uint256 form, uint256 pos) private view returns (uint256) {
        if (form == FORM_EMPTY) {
            if (answer.stateRoot != 0 || answer.rowHash == 0) {
                revert NotConflicting();
            }
            return pos;
        }
        if (form > FORM_ABSENT) {
            revert BadProof();
        }
        bool present = form == FORM_PRESENT;
        bytes32 path = answer.path;
        if (!present) {
            path = Packed.word(pos);
            pos += 32;
        }
        PrefixTree.Result memory tree = PrefixTree.walk(path, pos);
        if (tree.root != answer.stateRoot || !(present || PrefixTree.excludes(tree, answer.path))) {
            revert BadProof();
        }
        if (answer.rowHash == (present ? tree.rowHash : bytes32(0))) {
            revert NotConflicting();
        }
        return tree.next;
    }
}
