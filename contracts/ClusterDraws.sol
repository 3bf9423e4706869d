// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ISystemParams} from "./interfaces/ISystemParams.sol";
import {BlockSeed} from "./libraries/BlockSeed.sol";

/**
 * @title Groups that nobody composed
 * @notice A cluster's owner names candidates, the randomness of a block that does not exist yet chooses among them. A provider
 * can keep itself out, by offering nothing, but cannot choose its neighbours or get in.
 * @dev The order is a permutation of the candidates by the seed; those who cannot serve when the group is formed are passed
 * over. An open draw can be replaced only when its block is forgotten: who dislikes a result waits a day for another.
 */
abstract contract ClusterDraws is IClusterRegistry {
    /// @notice Most candidates of one draw.
    uint256 public constant MAX_CANDIDATES = 64;

    /// @notice The vault: signers, stake, signature domain, slashers.
    IStakeVault public immutable VAULT;
    /// @notice The registry of capacity.
    INodeRegistry public immutable NODES;
    /// @notice The parameters.
    ISystemParams public immutable PARAMS;

    mapping(bytes32 cluster => Draw) private _draws;

    constructor(IStakeVault vault, INodeRegistry nodes, ISystemParams params) {
        (VAULT, NODES, PARAMS) = (vault, nodes, params);
    }

    /// @notice The open draw of `cluster`; zeros when there is none.
    function drawOf(bytes32 cluster) external view returns (Draw memory) {
        return _draws[cluster];
    }

    /**
     * @notice The first `count` of `candidates` in the order of `seed` that can serve `gib` now; zero addresses when too few can.
     * @dev Fisher and Yates, from the front, with a fresh hash for every place.
     */
    function choose(bytes32 seed, address[] memory candidates, uint256 count, uint256 gib, uint16 regionMask)
        public
        view
        returns (address[] memory chosen)
    {
        chosen = new address[](count);
        uint256 found = 0;
        for (uint256 i = 0; i < candidates.length && found < count; ++i) {
            uint256 j = i + uint256(keccak256(abi.encode(seed, i))) % (candidates.length - i);
            (candidates[i], candidates[j]) = (candidates[j], candidates[i]);
            if (_canServe(candidates[i], gib, regionMask)) {
                chosen[found++] = candidates[i];
            }
        }
    }

    function _openDraw(bytes32 cluster, uint256 replicas, uint24 gib, address[] calldata candidates) internal {
        uint256 pending = _draws[cluster].seedBlock;
        if (pending != 0 && block.number <= pending + BlockSeed.HISTORY) {
            revert DrawPending(pending);
        }
        if (candidates.length < replicas || candidates.length > MAX_CANDIDATES) {
            revert BadCandidates(candidates.length);
        }
        for (uint256 i = 1; i < candidates.length; ++i) {
            if (candidates[i] <= candidates[i - 1]) {
                revert BadCandidates(i);
            }
        }
        uint64 seedBlock = uint64(block.number + PARAMS.draw().delay);
        _draws[cluster] = Draw(keccak256(abi.encodePacked(candidates)), seedBlock, gib);
        emit DrawOpened(cluster, gib, seedBlock, candidates);
    }

    /// @dev Ends the draw. Requirements: the offers are those of the chosen, in any order.
    function _settleDraw(
        bytes32 cluster, Cluster memory record, bytes calldata header, address[] calldata candidates, SignedOffer[] calldata offers
    ) internal returns (uint24 gib) {
        Draw memory draw = _draws[cluster];
        if (draw.seedBlock == 0 || keccak256(abi.encodePacked(candidates)) != draw.candidates) {
            revert NoDraw(cluster);
        }
        bytes32 seed = BlockSeed.read(draw.seedBlock, header);
        address[] memory chosen = choose(seed, candidates, record.replicationFactor, draw.gib, record.regionMask);
        for (uint256 i = 0; i < offers.length; ++i) {
            if (!_contains(chosen, offers[i].node)) {
                revert NotChosen(offers[i].node);
            }
        }
        delete _draws[cluster];
        emit Drawn(cluster, seed, chosen);
        return draw.gib;
    }

    function _canServe(address node, uint256 gib, uint16 regionMask) private view returns (bool) {
        (, IStakeVault.Status status, bool backed) = VAULT.standing(node);
        INodeRegistry.Node memory record = NODES.nodeOf(node);
        bool admitted = regionMask == 0 || (regionMask >> record.region) & 1 == 1;
        return status == IStakeVault.Status.Active && backed && admitted && record.offeredGib - record.usedGib >= gib;
    }

    function _contains(address[] memory set, address wanted) private pure returns (bool) {
        for (uint256 i = 0; i < set.length; ++i) {
            if (set[i] == wanted) {
                return true;
            }
        }
        return false;
    }
}
