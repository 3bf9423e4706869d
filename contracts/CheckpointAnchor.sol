// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

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
    /// @notice Least time between two anchors of a group, in seconds.
    uint256 public constant GAP = 5 minutes;
    /// @notice How long after its end an epoch's roster still speaks for its group, in seconds.
    uint256 public constant HANDOVER = Certified.HANDOVER;

    /// @notice The vault, whose address is the signature domain.
    IStakeVault public immutable VAULT;
    /// @notice The registry of rosters.
    IClusterRegistry public immutable CLUSTERS;

    mapping(bytes32 group => Anchor[2]) private _anchors;

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
        Anchor[2] storage kept = _anchors[group];
        (uint256 place, uint256 newestHeight, uint256 epoch, uint256 since) = _newest(kept);
        height = next.height;
        if (height <= newestHeight || next.epoch < epoch) {
            revert StaleHeight(newestHeight);
        }
        if (since != 0 && block.timestamp < since + GAP) {
            revert TooSoon(since + GAP);
        }
        next.anchoredAt = uint40(block.timestamp);
        kept[1 - place] = next;
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
        Anchor[2] storage kept = _anchors[group];
        (uint256 place,,, uint256 since) = _newest(kept);
        if (since == 0) {
            revert NotAnchored(group, 0);
        }
        return kept[place];
    }

    /// @notice The anchored checkpoint of `height`. Requirements: it is the newest or the one before.
    function anchorAt(bytes32 group, uint64 height) public view returns (Anchor memory found) {
        Anchor[2] storage kept = _anchors[group];
        if (kept[0].height == height) {
            found = kept[0];
        } else if (kept[1].height == height) {
            found = kept[1];
        }
        if (found.anchoredAt == 0) {
            revert NotAnchored(group, height);
        }
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

    /// @dev Place and head of the newest; zeros when there is none.
    function _newest(Anchor[2] storage kept) private view returns (uint256 place, uint256 height, uint256 epoch, uint256 since) {
        (uint256 first, uint256 second) = (kept[0].height, kept[1].height);
        place = second > first ? 1 : 0;
        Anchor storage last = kept[place];
        return (place, last.height, last.epoch, last.anchoredAt);
    }
}
