// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ISystemParams} from "./interfaces/ISystemParams.sol";
import {ClusterDraws} from "./ClusterDraws.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {SignatureLib} from "./libraries/SignatureLib.sol";

/**
 * @title Clusters, replica groups and their membership epochs
 * @notice A cluster belongs to a consumer, who sets its replication factor, regions and terms and forms groups from
 * offers that nodes signed. Every change of members starts a new epoch; its end is stamped with block time,
 * so the age of evidence never depends on a clock of the accused.
 *
 * @dev Only hashes of rosters and terms are stored; the contents are in the events and come back as arguments.
 * An offer stands until it expires: it may be used for several groups of its cluster while the node has
 * capacity. Invariants: members are distinct nodes, ascending by signer; the sum of a node's groups is its
 * used capacity; `endedAt` is set once.
 */
contract ClusterRegistry is ClusterDraws {
    /// @notice From a change of terms until it holds, in seconds.
    uint256 public constant TERMS_DELAY = 7 days;
    /// @notice From a member's notice until it may close the group itself, in seconds.
    uint256 public constant LEAVE_NOTICE = 7 days;
    /// @notice Longest validity of an offer, in seconds.
    uint256 public constant MAX_OFFER_AGE = 30 days;
    /// @notice Groups that one cluster can ever form.
    uint256 public constant MAX_GROUPS = 4096;

    mapping(bytes32 cluster => Cluster) private _clusters;
    mapping(bytes32 group => Group) private _groups;
    mapping(bytes32 groupEpoch => Epoch) private _epochs;
    /// @inheritdoc IClusterRegistry
    mapping(bytes32 cluster => bytes32) public termsHashOf;
    /// @notice When a member that gave notice may close the group; zero without notice.
    mapping(bytes32 notice => uint256) public mayCloseAt;

    modifier onlyOwnerOf(bytes32 cluster) {
        if (_clusters[cluster].owner != msg.sender) {
            revert NotClusterOwner(cluster, msg.sender);
        }
        _;
    }

    /**
     * @param vault the stake vault
     * @param nodes the node registry
     * @param params the parameters
     */
    constructor(IStakeVault vault, INodeRegistry nodes, ISystemParams params) ClusterDraws(vault, nodes, params) {}

    // ---- clusters

    /**
     * @notice Makes a cluster of the caller. Its id follows from the caller and `salt`.
     * @param replicationFactor replicas of each group, 1 to 64; 3f + 1 tolerates f liars
     * @param regionMask admitted regions, zero for all
     * Requirements: this salt is new for the caller.
     */
    function createCluster(bytes32 salt, uint8 replicationFactor, uint16 regionMask, Terms calldata terms)
        external
        returns (bytes32 cluster)
    {
        if (replicationFactor == 0 || replicationFactor > Quorum.MAX_SIZE) {
            revert BadReplicationFactor(replicationFactor);
        }
        cluster = clusterId(msg.sender, salt);
        if (_clusters[cluster].owner != address(0)) {
            revert ClusterExists(cluster);
        }
        _clusters[cluster] = Cluster(msg.sender, replicationFactor, regionMask, uint40(block.timestamp), 0, 0);
        termsHashOf[cluster] = keccak256(abi.encode(terms));
        emit ClusterCreated(cluster, msg.sender, replicationFactor, regionMask);
        emit TermsChanged(cluster, terms, block.timestamp);
    }

    /**
     * @notice Announces other terms; they hold after TERMS_DELAY, so nodes can leave first.
     * Requirements: the caller owns the cluster.
     */
    function setTerms(bytes32 cluster, Terms calldata terms) external onlyOwnerOf(cluster) {
        uint256 effectiveAt = block.timestamp + TERMS_DELAY;
        _clusters[cluster].termsAt = uint40(effectiveAt);
        termsHashOf[cluster] = keccak256(abi.encode(terms));
        emit TermsChanged(cluster, terms, effectiveAt);
    }

    // ---- groups

    /**
     * @notice Forms a group from as many offers as the replication factor says.
     * Effects: the capacity is in use, epoch 1 starts.
     * Requirements: the caller owns the cluster; offers are signed by the nodes' current signers, in ascending order of
     * those, not expired, large enough, from admitted regions and backed by stake; no guardian's stop of groups lasts.
     * @param gib capacity that every member gives
     */
    function formGroup(bytes32 cluster, uint24 gib, SignedOffer[] calldata offers) external onlyOwnerOf(cluster) returns (bytes32 group) {
        return _form(cluster, gib, offers);
    }

    /**
     * @notice Commits to candidates for a group that randomness will compose.
     * Effects: the block that decides is fixed, `SystemParams.draw` blocks ahead.
     * Requirements: the caller owns the cluster; candidates are distinct and ascending, enough and at most MAX_CANDIDATES; no other draw
     * of the cluster can still be settled.
     */
    function openDraw(bytes32 cluster, uint24 gib, address[] calldata candidates) external onlyOwnerOf(cluster) {
        _openDraw(cluster, _clusters[cluster].replicationFactor, gib, candidates);
    }

    /**
     * @notice Forms the group that the draw chose.
     * Effects: as `formGroup`; the draw ends.
     * Requirements: as `formGroup`; `header` is the RLP encoding of the deciding block's header; `candidates` are those of the draw; the
     * offers are of the chosen nodes.
     */
    function formDrawnGroup(bytes32 cluster, bytes calldata header, address[] calldata candidates, SignedOffer[] calldata offers)
        external
        onlyOwnerOf(cluster)
        returns (bytes32 group)
    {
        return _form(cluster, _settleDraw(cluster, _clusters[cluster], header, candidates, offers), offers);
    }

    /**
     * @notice Replaces the member that signs as `leaving` by the node of an offer (the same node with a new key, too).
     * Effects: the epoch ends now, the next starts; capacity moves.
     * Requirements: the caller owns the cluster; `roster` is the current one and has `leaving`; the offer as in `formGroup`,
     * from a node that is not among the others.
     */
    function replaceMember(bytes32 cluster, uint256 index, bytes calldata roster, address leaving, SignedOffer calldata offer)
        external
        onlyOwnerOf(cluster)
    {
        bytes32 group = groupId(cluster, index);
        Group memory record = _current(group, roster);
        address left = VAULT.nodeOfSigner(leaving);
        if (!_has(roster, leaving)) {
            revert NotMember(leaving);
        }
        NODES.giveBack(left, record.gib);
        (bytes32 domain, uint16 mask) = (Eip712.separator(address(VAULT)), _clusters[cluster].regionMask);
        address joining = _admit(domain, cluster, mask, record.gib, offer);
        bytes memory next = _exchange(roster, leaving, joining, offer.node);
        _end(group, record.epoch);
        _groups[group].epoch = record.epoch + 1;
        _start(group, record.epoch + 1, next);
    }

    /**
     * @notice A member says that it wants to leave.
     * Effects: if the owner has not replaced it after LEAVE_NOTICE, it may close the group and so free its stake.
     * Requirements: the caller owns the node that signs as `signer` in the current roster.
     */
    function requestLeave(bytes32 group, bytes calldata roster, address signer) external {
        Group memory record = _current(group, roster);
        if (!_has(roster, signer)) {
            revert NotMember(signer);
        }
        if (VAULT.holderOf(VAULT.nodeOfSigner(signer)) != msg.sender) {
            revert NotAllowed(msg.sender);
        }
        uint256 pos = block.timestamp + LEAVE_NOTICE;
        mayCloseAt[noticeId(group, record.epoch, msg.sender)] = pos;
        emit LeaveRequested(group, record.epoch, signer, pos);
    }

    /**
     * @notice Ends a group.
     * Effects: its epoch ends now, the members' capacity is free.
     * Requirements: the caller owns the cluster, or is a member whose notice in this epoch has run out; `roster` is current.
     */
    function closeGroup(bytes32 cluster, uint256 index, bytes calldata roster) external {
        bytes32 group = groupId(cluster, index);
        Group memory record = _current(group, roster);
        if (msg.sender != record.owner) {
            uint256 pos = mayCloseAt[noticeId(group, record.epoch, msg.sender)];
            if (pos == 0 || block.timestamp < pos) {
                revert NotAllowed(msg.sender);
            }
        }
        for (uint256 i = 0; i < roster.length; i += 20) {
            NODES.giveBack(VAULT.nodeOfSigner(address(bytes20(roster[i:i + 20]))), record.gib);
        }
        _groups[group].open = false;
        --_clusters[cluster].open;
        _end(group, record.epoch);
        emit GroupClosed(group);
    }

    /// @inheritdoc IClusterRegistry
    function convict(bytes32 group, uint64 epoch) external returns (uint256 record) {
        if (!VAULT.isSlasher(msg.sender)) {
            revert NotSlasher(msg.sender);
        }
        Epoch storage stored = _epochs[_epochKey(group, epoch)];
        assembly ("memory-safe") {
            record := add(sload(stored.slot), shl(240, 1)) // a roster of 64 cannot overflow 8 bits
            sstore(stored.slot, record)
        }
    }

    // ---- views

    /// @notice Id of the cluster that `owner` makes with `salt`.
    function clusterId(address owner, bytes32 salt) public view returns (bytes32) {
        return keccak256(abi.encode("picolo.cluster", block.chainid, address(this), owner, salt));
    }

    /// @inheritdoc IClusterRegistry
    function groupId(bytes32 cluster, uint256 index) public pure returns (bytes32) {
        return keccak256(abi.encode("picolo.group", cluster, index));
    }

    /// @notice Key of `mayCloseAt` for a node owner in one epoch.
    function noticeId(bytes32 group, uint64 epoch, address owner) public pure returns (bytes32) {
        return keccak256(abi.encode("picolo.notice", group, epoch, owner));
    }

    /// @inheritdoc IClusterRegistry
    function recordOf(bytes32 group, uint64 epoch) external view returns (uint256 record) {
        Epoch storage stored = _epochs[_epochKey(group, epoch)];
        assembly ("memory-safe") {
            record := sload(stored.slot)
        }
    }

    /// @inheritdoc IClusterRegistry
    function membership(bytes32 group, uint64 epoch) external view returns (Epoch memory record, address consumer) {
        return (_epochs[_epochKey(group, epoch)], _groups[group].owner);
    }

    /// @inheritdoc IClusterRegistry
    function clusterOf(bytes32 cluster) external view returns (Cluster memory) {
        return _clusters[cluster];
    }

    /// @inheritdoc IClusterRegistry
    function groupOf(bytes32 group) external view returns (Group memory) {
        return _groups[group];
    }

    // ---- inside

    function _form(bytes32 cluster, uint24 gib, SignedOffer[] calldata offers) private returns (bytes32 group) {
        PARAMS.requireOpen(ISystemParams.Exposure.Groups);
        Cluster memory record = _clusters[cluster];
        if (offers.length != record.replicationFactor) {
            revert BadRoster();
        }
        if (record.groups >= MAX_GROUPS) {
            revert GroupLimit(MAX_GROUPS);
        }
        group = groupId(cluster, record.groups);
        emit GroupFormed(group, cluster, record.groups, gib);
        ++record.groups;
        ++record.open;
        _clusters[cluster] = record;
        _groups[group] = Group(msg.sender, 1, gib, true);
        _start(group, 1, _enlist(cluster, record.regionMask, gib, offers));
    }

    function _enlist(bytes32 cluster, uint16 regionMask, uint24 gib, SignedOffer[] calldata offers)
        private
        returns (bytes memory roster)
    {
        bytes32 domain = Eip712.separator(address(VAULT));
        roster = new bytes(20 * offers.length);
        uint160 last = 0;
        for (uint256 i = 0; i < offers.length; ++i) {
            uint160 signer = uint160(_admit(domain, cluster, regionMask, gib, offers[i]));
            if (signer <= last) {
                revert BadRoster();
            }
            last = signer;
            assembly ("memory-safe") {
                // 20 bytes at their place; the 12 that follow are the next member's, or padding beyond the end
                let pos := add(add(roster, 0x20), mul(i, 20))
                mstore(pos, or(shl(96, signer), and(mload(pos), 0xffffffffffffffffffffffff)))
            }
        }
    }

    /// @dev Checks one offer, uses the capacity, returns the signer.
    function _admit(bytes32 domain, bytes32 cluster, uint16 regionMask, uint24 gib, SignedOffer calldata offer)
        private
        returns (address)
    {
        address node = offer.node;
        if (offer.expiresAt <= block.timestamp) {
            revert OfferExpired(node, offer.expiresAt);
        }
        if (offer.expiresAt > block.timestamp + MAX_OFFER_AGE) {
            revert OfferTooLong(node, offer.expiresAt);
        }
        if (offer.gib < gib) {
            revert OfferTooSmall(node, offer.gib);
        }
        bytes32 hashed = PicoloHashes.hash(PicoloHashes.Offer(cluster, node, offer.gib, offer.expiresAt));
        address recovered = SignatureLib.recoverCompact(Eip712.digest(domain, hashed), offer.r, offer.yParityAndS);
        (address signer, IStakeVault.Status status, bool backed) = VAULT.standing(node);
        if (recovered == address(0) || recovered != signer) {
            revert BadOfferSignature(node);
        }
        if (status != IStakeVault.Status.Active || !backed) {
            revert NodeNotBacked(node);
        }
        uint8 region = NODES.take(node, gib);
        if (regionMask != 0 && (regionMask >> region) & 1 == 0) {
            revert RegionNotAllowed(node, region);
        }
        return signer;
    }

    /// @dev The roster with `joining` in the place that order gives it instead of `leaving`.
    function _exchange(bytes calldata roster, address leaving, address joining, address node) private view returns (bytes memory next) {
        bool placed = false;
        for (uint256 i = 0; i < roster.length; i += 20) {
            address member = address(bytes20(roster[i:i + 20]));
            if (member == leaving) {
                continue;
            }
            if (VAULT.nodeOfSigner(member) == node) {
                revert AlreadyMember(node);
            }
            if (!placed && joining < member) {
                next = bytes.concat(next, bytes20(joining));
                placed = true;
            }
            next = bytes.concat(next, bytes20(member));
        }
        if (!placed) {
            next = bytes.concat(next, bytes20(joining));
        }
    }

    function _start(bytes32 group, uint64 epoch, bytes memory roster) private {
        _epochs[_epochKey(group, epoch)] = Epoch(Quorum.digestOf(roster), 0, uint8(roster.length / 20), 0);
        emit EpochStarted(group, epoch, roster);
    }

    function _end(bytes32 group, uint64 epoch) private {
        _epochs[_epochKey(group, epoch)].endedAt = uint40(block.timestamp);
        emit EpochEnded(group, epoch);
    }

    /// @dev The open group's record, if `roster` is its current one.
    function _current(bytes32 group, bytes calldata roster) private view returns (Group memory record) {
        record = _groups[group];
        if (!record.open) {
            revert GroupNotOpen(group);
        }
        if (Quorum.digestOf(roster) != _epochs[_epochKey(group, record.epoch)].roster) {
            revert BadRoster();
        }
    }

    function _has(bytes calldata roster, address signer) private pure returns (bool) {
        for (uint256 i = 0; i < roster.length; i += 20) {
            if (address(bytes20(roster[i:i + 20])) == signer) {
                return true;
            }
        }
        return false;
    }

    function _epochKey(bytes32 group, uint64 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode(group, epoch));
    }
}
