// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What other contracts need of the node registry
interface INodeRegistry {
    /// @dev What an owner declares.
    struct Resources {
        uint32 gib;
        uint16 vcpu;
        uint16 memoryGib;
        uint16 mbps;
        uint8 region;
    }

    /// @dev One slot.
    struct Node {
        uint32 offeredGib;
        uint32 usedGib;
        uint16 vcpu;
        uint16 memoryGib;
        uint16 mbps;
        uint8 region;
        uint40 updatedAt;
    }

    event NodeUpdated(address indexed node, Resources resources);
    event Announced(address indexed node, string endpoint);

    error OutOfBounds();
    error NotOwner(address node, address caller);
    error NotClusters(address caller);
    error CapacityInUse(uint256 usedGib);
    error CapacityExceeded(address node, uint256 freeGib, uint256 wantGib);
    error UnknownRegion(uint256 region);
    error EndpointTooLong(uint256 length);

    /**
     * @notice Puts `gib` of a node's capacity to use.
     * Requirements: the caller is the cluster registry; that much is free, else CapacityExceeded.
     * @return region where the node says it is
     */
    function take(address node, uint256 gib) external returns (uint8 region);

    /// @notice Frees what `take` used. Requirements: the caller is the cluster registry.
    function giveBack(address node, uint256 gib) external;

    function nodeOf(address node) external view returns (Node memory);
}
