// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/**
 * @title What nodes offer
 * @notice Capacity and region of every node, and the rule that stake is in proportion to them (whitepaper §6.3.1).
 * An offer locks its stake in the vault; capacity in use cannot be taken back, so nobody leaves a group
 * by unbonding. Region is declared by the node.
 * @dev Invariants: used <= offered; the lock in the vault is `requiredStake` of what is offered.
 */
contract NodeRegistry is INodeRegistry {
    using SafeCast for uint256;

    /// @notice Stake of the smallest node, in wei.
    uint256 public immutable MIN_STAKE;
    /// @notice Stake per offered GiB, in wei.
    uint256 public immutable STAKE_PER_GIB;
    /// @notice Stake per offered virtual CPU, in wei.
    uint256 public immutable STAKE_PER_VCPU;
    /// @notice Regions are numbers below this.
    uint256 public constant REGIONS = 16;
    /// @notice Longest announced address, in bytes.
    uint256 public constant MAX_ENDPOINT = 512;

    /// @notice The vault that holds the stake.
    IStakeVault public immutable VAULT;
    /// @notice The contract that puts capacity to use.
    address public immutable CLUSTERS;

    mapping(address node => Node) private _nodes;

    modifier onlyOwnerOf(address node) {
        if (VAULT.ownerOf(node).owner != msg.sender) {
            revert NotOwner(node, msg.sender);
        }
        _;
    }

    modifier onlyClusters() {
        if (msg.sender != CLUSTERS) {
            revert NotClusters(msg.sender);
        }
        _;
    }

    /**
     * @param vault the stake vault
     * @param clusters the cluster registry
     * @param minStake wei
     * @param stakePerGib wei
     * @param stakePerVcpu wei
     */
    constructor(IStakeVault vault, address clusters, uint256 minStake, uint256 stakePerGib, uint256 stakePerVcpu) {
        if (minStake == 0 || minStake > 1e24 || stakePerGib > 1e21 || stakePerVcpu > 1e21) {
            revert OutOfBounds();
        }
        (VAULT, CLUSTERS) = (vault, clusters);
        (MIN_STAKE, STAKE_PER_GIB, STAKE_PER_VCPU) = (minStake, stakePerGib, stakePerVcpu);
    }

    /**
     * @notice Declares what `node` offers from now on; all zeros withdraw it.
     * Effects: the record changes and the vault locks `requiredStake`.
     * Requirements: the caller owns the node; capacity in use stays offered; the region exists; the stake suffices,
     * else StakeTooLow(need).
     */
    function setResources(address node, Resources calldata resources) external onlyOwnerOf(node) {
        Node storage record = _nodes[node];
        if (resources.gib < record.usedGib) {
            revert CapacityInUse(record.usedGib);
        }
        if (resources.region >= REGIONS) {
            revert UnknownRegion(resources.region);
        }
        record.offeredGib = resources.gib;
        record.vcpu = resources.vcpu;
        record.memoryGib = resources.memoryGib;
        record.mbps = resources.mbps;
        record.region = resources.region;
        record.updatedAt = uint40(block.timestamp);
        emit NodeUpdated(node, resources);
        VAULT.setLock(node, requiredStake(resources.gib, resources.vcpu));
    }

    /**
     * @notice Announces where `node` can be reached; kept in the log only.
     * Requirements: the caller owns the node; at most MAX_ENDPOINT bytes.
     */
    function announce(address node, string calldata endpoint) external onlyOwnerOf(node) {
        if (bytes(endpoint).length > MAX_ENDPOINT) {
            revert EndpointTooLong(bytes(endpoint).length);
        }
        emit Announced(node, endpoint);
    }

    /// @inheritdoc INodeRegistry
    function take(address node, uint256 gib) external onlyClusters returns (uint8 region) {
        Node storage record = _nodes[node];
        uint256 free = record.offeredGib - record.usedGib;
        if (gib > free) {
            revert CapacityExceeded(node, free, gib);
        }
        record.usedGib += uint32(gib);
        return record.region;
    }

    /// @inheritdoc INodeRegistry
    function giveBack(address node, uint256 gib) external onlyClusters {
        _nodes[node].usedGib -= gib.toUint32();
    }

    /// @notice Stake that offering this much needs, in wei; nothing offered needs nothing.
    function requiredStake(uint256 gib, uint256 vcpu) public view returns (uint256) {
        return gib == 0 && vcpu == 0 ? 0 : MIN_STAKE + gib * STAKE_PER_GIB + vcpu * STAKE_PER_VCPU;
    }

    /// @notice Record of `node`.
    function nodeOf(address node) external view returns (Node memory) {
        return _nodes[node];
    }
}
