// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {BinaryMerkle} from "./libraries/BinaryMerkle.sol";
import {Offences} from "./libraries/Offences.sol";
import {Packed} from "./libraries/Packed.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {PrefixTree} from "./libraries/PrefixTree.sol";
import {WriterSignature} from "./libraries/WriterSignature.sol";
import {SlasherBase} from "./SlasherBase.sol";

/**
 * @title Lies in signed answers
 * @notice An answer against its own state root or against the certified one, a row with a forged writer signature, lists
 * of roots that contradict each other. These are lesser offences: they climb the ladder. The reward goes to the querier
 * whom the signed answer names, whoever submits.
 *
 * @dev Formats are in docs/contracts/evidence.md; protocol/evidence encodes them and has the same predicates.
 */
contract SlasherAnswers is SlasherBase {
    uint256 private constant FORM_PRESENT = 0;
    uint256 private constant FORM_ABSENT = 1;
    uint256 private constant FORM_EMPTY = 2;
    uint256 private constant FORM_CERTIFICATE = 3;
    uint256 private constant FORM_STALE = 4;
    uint256 private constant FORM_RANK = 5;

    uint256 private constant AGAINST_LIST = 0;
    uint256 private constant AGAINST_ANSWER = 1;
    uint256 private constant AGAINST_CERTIFICATE = 2;

    /**
     * @param vault the stake vault
     * @param clusters the cluster registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters) SlasherBase(vault, clusters) {}

    /**
     * @notice An answer that contradicts its own state root (another row is there, or none), whose root is not the
     * certified one of its height (E8), that is older than the querier's bound, which it repeats, or that is about another
     * row than the one at the rank that its request repeats.
     * Effects: the accused climbs the ladder; the reward goes to the answer's querier.
     */
    function reportFalseAnswer(bytes calldata evidence) external {
        (Case memory c, uint256 pos) = _open(evidence);
        uint256 form = Packed.u8(pos);
        (PicoloHashes.Answer memory answer, uint256 proof) = _answer(c, pos + 1);
        uint256 end;
        if (form == FORM_CERTIFICATE || form == FORM_STALE) {
            answer.stateRoot = Packed.word(proof);
            end = form == FORM_STALE ? _stale(answer, proof + 32) : _againstCertificate(c, answer.height, answer.stateRoot, proof + 32);
        } else {
            (answer.stateRoot, end) = form == FORM_RANK ? _otherRank(answer, proof) : _ownRoot(answer, form, proof);
        }
        Packed.finish(evidence, end);
        _mustSign(c, PicoloHashes.hash(answer), proof - 64);
        VAULT.fine(c.accused, Offences.FALSE_ANSWER, answer.issuedAt, answer.querier, c.group);
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
        VAULT.fine(c.accused, Offences.FORGED_ROW, row.issuedAt, row.querier, c.group);
    }

    /**
     * @notice A signed list of roots that has another root for a height than another list of the same node, than an answer
     * of it, or than the certificate of that height (Vidigueira §4.3.6, COMPLAIN).
     * Effects: as for a false answer; the older of two statements counts for absolution, the reward is the list's querier's.
     */
    function reportFalseHistory(bytes calldata evidence) external {
        (Case memory c, uint256 pos) = _open(evidence);
        uint256 against = Packed.u8(pos);
        uint64 height = Packed.u64(pos + 1);
        bytes32 listed = Packed.word(pos + 9);
        address querier;
        uint64 issuedAt;
        (querier, issuedAt, pos) = _list(c, height, listed, pos + 41);
        bytes32 other = Packed.word(pos);
        uint64 otherAt = issuedAt;
        if (against == AGAINST_LIST) {
            (, otherAt, pos) = _list(c, height, other, pos + 32);
        } else if (against == AGAINST_ANSWER) {
            (otherAt, pos) = _answered(c, height, other, pos + 32);
        } else if (against == AGAINST_CERTIFICATE) {
            pos = _againstCertificate(c, height, listed, pos);
        } else {
            revert BadProof();
        }
        Packed.finish(evidence, pos);
        if (listed == other) {
            revert NotConflicting();
        }
        uint64 newer = issuedAt > otherAt ? issuedAt : otherAt;
        if (newer > block.timestamp) {
            revert IStakeVault.FutureAnswer(newer);
        }
        VAULT.fine(c.accused, Offences.FALSE_HISTORY, issuedAt < otherAt ? issuedAt : otherAt, querier, c.group);
    }

    // ---- parts

    /**
     * @dev height(8) ‖ minHeight(8) ‖ seq(8) ‖ path(32) ‖ rowHash(32) ‖ request(32) ‖ querier(20) ‖ issuedAt(8) ‖ signature(64). The root is
     * still missing: a walk leads to it, and the signature, checked last, binds it.
     */
    function _answer(Case memory c, uint256 pos) private pure returns (PicoloHashes.Answer memory, uint256) {
        PicoloHashes.Answer memory answer = PicoloHashes.Answer(
            c.group, c.epoch, Packed.u64(pos), Packed.u64(pos + 8), Packed.u64(pos + 16), 0, Packed.word(pos + 24),
            Packed.word(pos + 56), Packed.word(pos + 88), Packed.account(pos + 120), Packed.u64(pos + 140)
        );
        return (answer, pos + 212);
    }

    function _stale(PicoloHashes.Answer memory answer, uint256 pos) private pure returns (uint256) {
        if (answer.height >= answer.minHeight) {
            revert NotConflicting();
        }
        return pos;
    }

    /// @dev stateRoot(32) ‖ detail(32) ‖ certificate of `height`, with another root than `claimed`.
    function _againstCertificate(Case memory c, uint64 height, bytes32 claimed, uint256 pos) private view returns (uint256 next) {
        if (claimed == Packed.word(pos)) {
            revert NotConflicting();
        }
        (, next) = _certified(c, height, pos);
    }

    /// @dev The root of the tree in which the answer is wrong.
    function _ownRoot(PicoloHashes.Answer memory answer, uint256 form, uint256 pos) private view returns (bytes32 root, uint256 next) {
        if (form > FORM_EMPTY) {
            revert BadProof();
        }
        if (form == FORM_EMPTY) {
            if (answer.rowHash == 0) {
                revert NotConflicting();
            }
            return (0, pos);
        }
        bool present = form == FORM_PRESENT;
        PrefixTree.Result memory tree = present ? PrefixTree.walk(answer.path, pos) : PrefixTree.walk(Packed.word(pos), pos + 32);
        if (!present && !PrefixTree.excludes(tree, answer.path)) {
            revert BadProof();
        }
        if (answer.rowHash == (present ? tree.rowHash : bytes32(0))) {
            revert NotConflicting();
        }
        return (tree.root, tree.next);
    }

    /**
     * @dev request(32) ‖ rank(8) ‖ path(32) ‖ walk: what was asked, and a leaf under the root that the walk leads to. It has the rank
     * and is not the row answered about, or it is that row and has another rank.
     */
    function _otherRank(PicoloHashes.Answer memory answer, uint256 pos) private view returns (bytes32 root, uint256 next) {
        uint64 rank = Packed.u64(pos + 32);
        if (answer.request != sha256(abi.encodePacked("picolo/asked/rank", Packed.word(pos), rank))) {
            revert BadProof();
        }
        PrefixTree.Result memory tree = PrefixTree.walk(Packed.word(pos + 40), pos + 72);
        if ((tree.path == answer.path) == (tree.rank == rank)) {
            revert NotConflicting();
        }
        return (tree.root, tree.next);
    }

    /// @dev count(4) ‖ request(32) ‖ querier(20) ‖ issuedAt(8) ‖ index(4) ‖ path ‖ signature(64): the list has `root` for `height`.
    function _list(Case memory c, uint64 height, bytes32 root, uint256 pos)
        private
        view
        returns (address querier, uint64 issuedAt, uint256 next)
    {
        PicoloHashes.RootList memory list;
        (list.group, list.epoch, list.count, list.request) = (c.group, c.epoch, Packed.u32(pos), Packed.word(pos + 4));
        (list.querier, list.issuedAt) = (Packed.account(pos + 36), Packed.u64(pos + 56));
        bytes32 leaf = sha256(abi.encodePacked(uint8(0), height, root));
        (list.listRoot, next) = BinaryMerkle.rootFrom(leaf, Packed.u32(pos + 64), pos + 68);
        _mustSign(c, PicoloHashes.hash(list), next);
        return (list.querier, list.issuedAt, next + 64);
    }

    /// @dev An answer as above whose height is `height` and whose root is `root`, without those two fields.
    function _answered(Case memory c, uint64 height, bytes32 root, uint256 pos) private view returns (uint64 issuedAt, uint256 next) {
        (PicoloHashes.Answer memory answer, uint256 end) = _answer(c, pos);
        if (answer.height != height) {
            revert NotConflicting();
        }
        answer.stateRoot = root;
        _mustSign(c, PicoloHashes.hash(answer), end - 64);
        return (answer.issuedAt, end);
    }
}
