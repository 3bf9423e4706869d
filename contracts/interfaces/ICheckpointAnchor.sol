// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What other contracts need of anchored checkpoints
interface ICheckpointAnchor {
    /// @dev `closedAt`: unix seconds up to which the state is complete; `anchoredAt`: block time of the transaction.
    struct Anchor {
        bytes32 stateRoot;
        uint64 epoch;
        uint64 height;
        uint40 closedAt;
        uint40 anchoredAt;
    }

    event Anchored(bytes32 indexed group, uint64 indexed height, uint64 epoch, bytes32 stateRoot, uint256 closedAt);

    /// @dev Not above the newest anchored height, or of an earlier epoch.
    error StaleHeight(uint256 newest);
    error TooSoon(uint256 until);
    error NotAnchored(bytes32 group, uint64 height);
    error NotPresent(bytes32 path);
    error NotAbsent(bytes32 path);
    error RangeReversed();

    function anchor(bytes32 group, bytes calldata certificate) external returns (uint64 height);
    function check(bytes32 group, bytes calldata certificate) external view returns (Anchor memory);
    function newest(bytes32 group) external view returns (Anchor memory);
    function anchorAt(bytes32 group, uint64 height) external view returns (Anchor memory);
}
