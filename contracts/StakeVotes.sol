// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Checkpoints} from "@openzeppelin/contracts/utils/structs/Checkpoints.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";

/**
 * @title Votes of staked PINT
 * @notice The vault keeps no history. An owner records the active stake of its nodes here, and the record counts as votes of
 * the owner for one time of unbonding.
 *
 * @dev Why nothing votes twice: PINT that was active at the time of a record cannot be liquid before that time plus UNBONDING, so at
 * every snapshot at which the record counts it is still in the vault, or was slashed. A record counts strictly before that moment.
 */
contract StakeVotes {
    using Checkpoints for Checkpoints.Trace208;

    event StakeRecorded(address indexed owner, uint256 votes, uint256 until);

    error TooManyNodes(uint256 count);
    error NotAscending(address node);
    error NotOwner(address node, address caller);
    error OtherNodes();

    /// @notice Most nodes in one record.
    uint256 public constant MAX_NODES = 32;
    /// @notice The stake vault.
    IStakeVault public immutable VAULT;
    /// @notice How long a record counts, in seconds.
    uint256 public immutable LIFE;

    /// @dev By time: votes in the low 96 bits, above them the time at which they were counted.
    mapping(address owner => Checkpoints.Trace208) private _records;
    /// @notice keccak of the nodes of an owner's latest record.
    mapping(address owner => bytes32) public nodesHashOf;

    /// @param vault the stake vault
    constructor(IStakeVault vault) {
        (VAULT, LIFE) = (vault, vault.UNBONDING());
    }

    /**
     * @notice Records the active stake of the caller's nodes as its votes from now on.
     * Effects: replaces the caller's record; it counts until now + LIFE.
     * Requirements: at most MAX_NODES, distinct, ascending, all owned by the caller.
     */
    function record(address[] calldata nodes) external returns (uint256 votes) {
        votes = _sum(msg.sender, nodes);
        nodesHashOf[msg.sender] = keccak256(abi.encodePacked(nodes));
        _write(msg.sender, votes, block.timestamp);
    }

    /**
     * @notice Lowers somebody's record after a slash or an exit. Anybody may.
     * Effects: the votes fall to what the same nodes have now; the record ends when it would have ended.
     * Requirements: `nodes` are those of the record.
     */
    function refresh(address owner, address[] calldata nodes) external returns (uint256 votes) {
        if (keccak256(abi.encodePacked(nodes)) != nodesHashOf[owner]) {
            revert OtherNodes();
        }
        uint256 packed = _records[owner].latest();
        votes = _sum(owner, nodes);
        if (votes < uint96(packed)) {
            _write(owner, votes, packed >> 96);
        }
    }

    /// @notice Votes of `owner` by records at `timepoint`, in wei. Zero once a record is older than LIFE.
    function getPastVotes(address owner, uint256 timepoint) external view returns (uint256) {
        uint256 packed = _records[owner].upperLookupRecent(uint48(timepoint));
        return timepoint < (packed >> 96) + LIFE ? uint96(packed) : 0;
    }

    function _write(address owner, uint256 votes, uint256 countedAt) private {
        _records[owner].push(uint48(block.timestamp), uint208((countedAt << 96) | votes));
        emit StakeRecorded(owner, votes, countedAt + LIFE);
    }

    function _sum(address owner, address[] calldata nodes) private view returns (uint256 votes) {
        if (nodes.length > MAX_NODES) {
            revert TooManyNodes(nodes.length);
        }
        for (uint256 i = 0; i < nodes.length; ++i) {
            address node = nodes[i];
            if (i != 0 && node <= nodes[i - 1]) {
                revert NotAscending(node);
            }
            if (VAULT.holderOf(node) != owner) {
                revert NotOwner(node, owner);
            }
            IStakeVault.Account memory account = VAULT.accountOf(node);
            votes += account.status == IStakeVault.Status.Active ? account.active : 0;
        }
    }
}
