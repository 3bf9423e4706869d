// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ICheckpointAnchor} from "./interfaces/ICheckpointAnchor.sol";
import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Certified} from "./libraries/Certified.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Packed} from "./libraries/Packed.sol";
import {TreeEntry} from "./libraries/TreeEntry.sol";

/**
 * @title Certified checkpoints on chain
 * @notice Whoever wants contracts to read a group's state brings its certified checkpoint here once and pays the gas; from then on
 * a row, its absence or its rank is proven by a path alone. What stands here is what N - f staked replicas signed.
 *
 * @dev The newest and the one before are kept, and a new one comes no sooner than GAP after the last: whoever made a proof under the
 * newest root has at least GAP to use it, whatever others anchor meanwhile.
 */
contract CheckpointAnchor is ICheckpointAnchor {
    using SafeCast for uint256;

    /// @notice Least time between two anchors of a group, in seconds.
    uint256 public constant GAP = 5 minutes;
    uint256 private constant HEAD_BITS = 128;
    uint256 private constant HEAD = type(uint128).max;
    uint256 private constant EPOCH_AT = 104;
    uint256 private constant HEIGHT_AT = 64;
    uint256 private constant CLOSED_AT = 32;
    /// @notice How long after its end an epoch's roster still speaks for its group, in seconds.
    uint256 public constant HANDOVER = Certified.HANDOVER;

    /// @notice The vault, whose address is the signature domain.
    IStakeVault public immutable VAULT;
    /// @notice The registry of rosters.
    IClusterRegistry public immutable CLUSTERS;

    /// @dev Two checkpoints of a group in three slots: finding one by its height reads a single one. A head is
    /// epoch(24 bits) ‖ height(40) ‖ closedAt(32) ‖ anchoredAt(32); the one of place 1 stands in the upper half.
    struct Kept {
        uint256 heads;
        bytes32[2] roots;
    }

    mapping(bytes32 group => Kept) private _kept;

    /**
     * @param vault the stake vault
     * @param clusters the cluster registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters) {
        (VAULT, CLUSTERS) = (vault, clusters);
    }

    /**
     * @notice Puts a certified checkpoint of `group` on chain. Anybody may.
     * Effects: it is the newest; the one before stays readable, the one before that is forgotten.
     * Requirements: its height is above the newest's and its epoch not below; GAP has passed; the certificate is as
     * `Certified` says.
     * @param certificate the packed checkpoint with its certificate
     * @return height of the checkpoint
     */
    function anchor(bytes32 group, bytes calldata certificate) external returns (uint64 height) {
        Anchor memory next = _certified(group, certificate);
        Kept storage kept = _kept[group];
        uint256 heads = kept.heads;
        (Anchor memory last, uint256 place) = _newest(heads);
        height = next.height;
        if (height <= last.height || next.epoch < last.epoch) {
            revert StaleHeight(last.height);
        }
        if (last.anchoredAt != 0 && block.timestamp < last.anchoredAt + GAP) {
            revert TooSoon(last.anchoredAt + GAP);
        }
        place = 1 - place;
        kept.heads = (heads & (HEAD << (HEAD_BITS * (1 - place)))) | (_packed(next) << (HEAD_BITS * place));
        kept.roots[place] = next.stateRoot;
        emit Anchored(group, height, next.epoch, next.stateRoot, next.closedAt);
    }

    /**
     * @notice What a certified checkpoint says, for readers that anchor nothing.
     * Requirements: the certificate is as `Certified` says.
     * @return what `anchor` would keep, with `anchoredAt` zero
     */
    function check(bytes32 group, bytes calldata certificate) external view returns (Anchor memory) {
        return _certified(group, certificate);
    }

    // ---- proofs

    /**
     * @notice The row at `path`, proven under the anchored root of `height`.
     * Requirements: that checkpoint is kept; `proof` is a packed entry that shows the path present.
     * @return rowHash what the leaf commits to: version, time, key and content (data DATA-33)
     * @return rank leaves before it
     */
    function verifyRow(bytes32 group, uint64 height, bytes32 path, bytes calldata proof)
        external
        view
        returns (bytes32 rowHash, uint256 rank)
    {
        TreeEntry.Entry memory entry = _entry(group, height, path, proof);
        if (!entry.present) {
            revert NotPresent(path);
        }
        return (entry.rowHash, entry.rank);
    }

    /**
     * @notice Proves that there is nothing at `path` under the anchored root of `height`.
     * Requirements: that checkpoint is kept; `proof` is a packed entry that shows the path absent.
     * @return rank leaves before the path
     */
    function verifyAbsence(bytes32 group, uint64 height, bytes32 path, bytes calldata proof) external view returns (uint256 rank) {
        TreeEntry.Entry memory entry = _entry(group, height, path, proof);
        if (entry.present) {
            revert NotAbsent(path);
        }
        return entry.rank;
    }

    /**
     * @notice Number of leaves before `path`, present or not.
     * Requirements: that checkpoint is kept; `proof` is a packed entry for the path.
     * @return rank leaves with a smaller path
     * @return count leaves of the whole tree
     */
    function verifyRank(bytes32 group, uint64 height, bytes32 path, bytes calldata proof)
        external
        view
        returns (uint256 rank, uint256 count)
    {
        TreeEntry.Entry memory entry = _entry(group, height, path, proof);
        return (entry.rank, entry.count);
    }

    /**
     * @notice Number of leaves from `first` to `last`, both inclusive.
     * Requirements: that checkpoint is kept; `proof` is the packed entry of `first` and then that of `last`.
     */
    function verifyCount(bytes32 group, uint64 height, bytes32 first, bytes32 last, bytes calldata proof)
        external
        view
        returns (uint256)
    {
        if (first > last) {
            revert RangeReversed();
        }
        bytes32 root = anchorAt(group, height).stateRoot;
        TreeEntry.Entry memory begin = TreeEntry.read(root, first, Packed.start(proof));
        TreeEntry.Entry memory end = TreeEntry.read(root, last, begin.next);
        Packed.finish(proof, end.next);
        return end.rank + (end.present ? 1 : 0) - begin.rank;
    }

    // ---- views

    /// @notice The newest anchored checkpoint of a group. Requirements: there is one.
    function newest(bytes32 group) external view returns (Anchor memory) {
        Kept storage kept = _kept[group];
        (Anchor memory last, uint256 place) = _newest(kept.heads);
        if (last.anchoredAt == 0) {
            revert NotAnchored(group, 0);
        }
        last.stateRoot = kept.roots[place];
        return last;
    }

    /// @notice The anchored checkpoint of `height`. Requirements: it is the newest or the one before.
    function anchorAt(bytes32 group, uint64 height) public view returns (Anchor memory found) {
        Kept storage kept = _kept[group];
        uint256 heads = kept.heads;
        uint256 place = uint40(heads >> HEIGHT_AT) == height ? 0 : 1;
        found = _headAt(heads, place);
        if (found.anchoredAt == 0 || found.height != height) {
            revert NotAnchored(group, height);
        }
        found.stateRoot = kept.roots[place];
    }

    // ---- inside

    function _certified(bytes32 group, bytes calldata certificate) private view returns (Anchor memory) {
        (Certified.Checkpoint memory found, uint256 pos) =
            Certified.read(CLUSTERS, Eip712.separator(address(VAULT)), group, Packed.start(certificate));
        Packed.finish(certificate, pos);
        return Anchor(found.stateRoot, found.epoch, found.height, found.closedAt, 0);
    }

    function _entry(bytes32 group, uint64 height, bytes32 path, bytes calldata proof)
        private
        view
        returns (TreeEntry.Entry memory entry)
    {
        entry = TreeEntry.read(anchorAt(group, height).stateRoot, path, Packed.start(proof));
        Packed.finish(proof, entry.next);
    }

    /// @dev Head and place of the newest, without its root; zeros when there is none.
    function _newest(uint256 heads) private pure returns (Anchor memory, uint256 place) {
        place = uint40(heads >> (HEAD_BITS + HEIGHT_AT)) > uint40(heads >> HEIGHT_AT) ? 1 : 0;
        return (_headAt(heads, place), place);
    }

    /// @dev The head at `place`; its root stands elsewhere.
    function _headAt(uint256 heads, uint256 place) private pure returns (Anchor memory) {
        uint256 head = heads >> (HEAD_BITS * place);
        return Anchor(0, uint24(head >> EPOCH_AT), uint40(head >> HEIGHT_AT), uint32(head >> CLOSED_AT), uint32(head));
    }

    /// @dev The head of what is anchored now; the last checkpoint of an epoch closes all time, which ends in 2106 here.
    /// Requirements: epoch and height fit; a group that makes ten blocks a second needs 3,000 years.
    function _packed(Anchor memory next) private view returns (uint256) {
        uint256 closedAt = next.closedAt < type(uint32).max ? next.closedAt : type(uint32).max;
        uint256 place = (uint256(uint256(next.epoch).toUint24()) << EPOCH_AT) | (uint256(uint256(next.height).toUint40()) << HEIGHT_AT);
        return place | (closedAt << CLOSED_AT) | block.timestamp.toUint32();
    }
}
