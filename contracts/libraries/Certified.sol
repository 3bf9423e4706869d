// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "../interfaces/IClusterRegistry.sol";
import {Eip712} from "./Eip712.sol";
import {Packed} from "./Packed.sol";
import {PicoloHashes} from "./PicoloHashes.sol";
import {Quorum} from "./Quorum.sol";

/**
 * @title Certified checkpoints in calldata (oracle §1)
 * @notice A state root counts when a quorum of the group's roster signed it, and only while that roster answers for it: in its
 * epoch and for a short time after. Later its members may have withdrawn their stake, and their old keys could
 * sign anything for free.
 *
 * Packed: epoch(8) ‖ height(8) ‖ stateRoot(32) ‖ closeTs(12) ‖ rowCount(8) ‖ capsuleHead(32) ‖ previous(32) ‖ configHash(32) ‖
 * size(1) ‖ roster(20 each) ‖ signers(8) ‖ compact signatures(64 each).
 */
library Certified {
    /// @notice The registry does not know this roster for that group and epoch.
    error UnknownRoster();
    /// @notice The epoch ended too long ago for its roster to speak for the group.
    error EpochOver(uint256 endedAt);

    /// @dev Seconds after its end in which an epoch's roster still speaks: a change of members interrupts no reader.
    uint256 internal constant HANDOVER = 1 hours;
    /// @dev Bytes of the details that the signed field `detail` is the hash of.
    uint256 private constant DETAIL = 116;

    struct Checkpoint {
        uint64 epoch;
        uint64 height;
        bytes32 stateRoot;
        uint40 closedAt; // unix seconds of closeTs: nothing at or before it is missing
    }

    /**
     * @dev Reads and checks the certified checkpoint of `group` at calldata position `pos`.
     * Requirements: the registry knows the roster for that epoch, which lasts or ended at most HANDOVER ago; a quorum of it
     * signed exactly this checkpoint and these details.
     */
    function read(IClusterRegistry clusters, bytes32 domain, bytes32 group, uint256 pos)
        internal
        view
        returns (Checkpoint memory checkpoint, uint256 next)
    {
        checkpoint.epoch = Packed.u64(pos);
        checkpoint.height = Packed.u64(pos + 8);
        checkpoint.stateRoot = Packed.word(pos + 16);
        checkpoint.closedAt = uint40(Packed.integer(pos + 48, 6) / 1000);
        bytes32 structHash = PicoloHashes.hash(
            PicoloHashes.Checkpoint(group, checkpoint.epoch, checkpoint.height, checkpoint.stateRoot, Packed.sha(pos + 48, DETAIL))
        );
        next = signed(clusters, group, checkpoint.epoch, Eip712.digest(domain, structHash), pos + 48 + DETAIL);
    }

    /// @dev size(1) ‖ roster ‖ certificate at `pos`, as in `read`, over any digest.
    function signed(IClusterRegistry clusters, bytes32 group, uint64 epoch, bytes32 digest, uint256 pos)
        internal
        view
        returns (uint256)
    {
        uint256 size = Packed.u8(pos);
        uint256 record = clusters.recordOf(group, epoch);
        if (size == 0 || Quorum.digestAt(pos + 1, size) != uint192(record)) {
            revert UnknownRoster();
        }
        uint256 endedAt = uint40(record >> 192);
        if (endedAt != 0 && block.timestamp > endedAt + HANDOVER) {
            revert EpochOver(endedAt);
        }
        return Quorum.check(digest, pos + 1, size, pos + 1 + 20 * size);
    }
}
