// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What other contracts need of the cluster registry
interface IClusterRegistry {
    /// @dev Prices in wei of `token` (zero is ether). Service stops when what was served exceeds the last voucher by `threshold`.
    struct Terms {
        address token;
        uint96 pricePerGibMonth;
        uint128 pricePerMillionReads;
        uint128 pricePerMillionWrites;
        uint128 pricePerGibOut;
        uint128 threshold;
    }

    /// @dev One slot. `regionMask` bit r admits region r, zero admits all. `groups` were ever formed, `open` are open.
    struct Cluster {
        address owner;
        uint8 replicationFactor;
        uint16 regionMask;
        uint40 termsAt;
        uint16 groups;
        uint16 open;
    }

    /// @dev One slot. `epoch` is the current membership epoch, from 1; the last one when the group is closed.
    struct Group {
        address owner;
        uint64 epoch;
        uint24 gib;
        bool open;
    }

    /// @dev One slot. `roster` is the truncated keccak of the packed signers, `endedAt` zero while the epoch lasts.
    struct Epoch {
        uint192 roster;
        uint40 endedAt;
        uint8 size;
        uint8 convicted;
    }

    /// @dev A node's `Offer` to this cluster with the compact signature of its current signer.
    struct SignedOffer {
        address node;
        uint32 gib;
        uint64 expiresAt;
        bytes32 r;
        bytes32 yParityAndS;
    }

    /// @dev Two slots. A commitment to candidates; the randomness of `seedBlock` will choose among them.
    struct Draw {
        bytes32 candidates;
        uint64 seedBlock;
        uint24 gib;
    }

    event ClusterCreated(bytes32 indexed cluster, address indexed owner, uint8 replicationFactor, uint16 regionMask);
    event TermsChanged(bytes32 indexed cluster, Terms terms, uint256 effectiveAt);
    event GroupFormed(bytes32 indexed group, bytes32 indexed cluster, uint256 index, uint256 gib);
    /// @dev `roster` is 20 bytes per signer, ascending: the replica index is the place in it.
    event EpochStarted(bytes32 indexed group, uint64 epoch, bytes roster);
    event EpochEnded(bytes32 indexed group, uint64 epoch);
    event LeaveRequested(bytes32 indexed group, uint64 epoch, address indexed signer, uint256 mayCloseAt);
    event GroupClosed(bytes32 indexed group);
    event DrawOpened(bytes32 indexed cluster, uint256 gib, uint256 seedBlock, address[] candidates);
    event Drawn(bytes32 indexed cluster, bytes32 seed, address[] chosen);

    error NotClusterOwner(bytes32 cluster, address caller);
    error NotAllowed(address caller);
    error NotSlasher(address caller);
    error ClusterExists(bytes32 cluster);
    error BadReplicationFactor(uint256 replicationFactor);
    error BadRoster();
    error NotMember(address signer);
    error AlreadyMember(address node);
    error GroupNotOpen(bytes32 group);
    error GroupLimit(uint256 limit);
    error OfferExpired(address node, uint256 expiresAt);
    error OfferTooLong(address node, uint256 expiresAt);
    error OfferTooSmall(address node, uint256 gib);
    error BadOfferSignature(address node);
    error NodeNotBacked(address node);
    error RegionNotAllowed(address node, uint256 region);
    error DrawPending(uint256 seedBlock);
    error BadCandidates(uint256 place);
    error NoDraw(bytes32 cluster);
    error NotChosen(address node);

    /**
     * @notice Counts a grave conviction in one membership epoch.
     * Requirements: the caller is an active slasher of the vault.
     * @return record as `recordOf`, with the new count
     */
    function convict(bytes32 group, uint64 epoch) external returns (uint256 record);

    /// @notice An epoch's record as it is stored, 0 ‖ convicted(8) ‖ size(8) ‖ endedAt(40) ‖ roster(192): evidence pays for every word
    /// that is decoded. Zero when there never was such an epoch.
    function recordOf(bytes32 group, uint64 epoch) external view returns (uint256 record);

    /// @notice The epoch's record and who consumes the group's service.
    function membership(bytes32 group, uint64 epoch) external view returns (Epoch memory record, address consumer);

    /// @notice keccak of the ABI encoding of the latest terms.
    function termsHashOf(bytes32 cluster) external view returns (bytes32);

    function clusterOf(bytes32 cluster) external view returns (Cluster memory);
    function groupOf(bytes32 group) external view returns (Group memory);
    function mayCloseAt(bytes32 notice) external view returns (uint256);
    function noticeId(bytes32 group, uint64 epoch, address owner) external pure returns (bytes32);
    function groupId(bytes32 cluster, uint256 index) external pure returns (bytes32);
}
