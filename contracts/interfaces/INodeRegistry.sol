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

    /// @dev One slot. `stakeGwei` is the stake that the offer needs, at the rates of the day it was made, rounded up.
    struct Node {
        uint32 offeredGib;
        uint32 usedGib;
        uint16 vcpu;
        uint16 memoryGib;
        uint16 mbps;
        uint8 region;
        uint40 updatedAt;
        uint64 stakeGwei;
    }

    /// @dev Two slots. Which certificate a node presented last, and when it was promoted (zero: never).
    struct Certificate {
        address issuer;
        uint40 expiresAt;
        uint40 promotedAt;
        uint64 number;
    }

    /// @dev One slot. Fees in wei of PINT since the beginning; what they lock in gwei, by window; when the current window ends.
    struct Fees {
        uint96 earned;
        uint64 current;
        uint64 previous;
        uint32 windowEnd;
    }

    event NodeUpdated(address indexed node, Resources resources);
    event Announced(address indexed node, string endpoint);
    event CertificateAnchored(address indexed node, address indexed issuer, uint64 number, bytes32 transportKeyHash, bytes32 softwareHash, uint256 expiresAt);
    event CertificateRevoked(address indexed issuer, uint64 number);
    event Promoted(address indexed node);
    event FeesNoted(address indexed node, address indexed token, uint256 amount, uint256 worth);

    error OutOfBounds();
    error NotOwner(address node, address caller);
    error NotClusters(address caller);
    error NotSplitter(address caller);
    error CapacityInUse(uint256 usedGib);
    error CapacityExceeded(address node, uint256 freeGib, uint256 wantGib);
    error UnknownRegion(uint256 region);
    error EndpointTooLong(uint256 length);
    error NotIssuer(address signer);
    error NotDated(uint256 issuedAt, uint256 expiresAt);
    error Revoked(address issuer, uint64 number);
    error RuleNotMet(bytes32 rule);

    /**
     * @notice Puts `gib` of a node's capacity to use.
     * Requirements: the caller is the cluster registry; that much is free, else CapacityExceeded.
     * @return region where the node says it is
     */
    function take(address node, uint256 gib) external returns (uint8 region);

    /// @notice Frees what `take` used. Requirements: the caller is the cluster registry.
    function giveBack(address node, uint256 gib) external;

    /// @notice Counts fees that `node` collected and locks stake for them. Requirements: the caller is the splitter.
    function noteFees(address node, address token, uint256 amount) external;

    function nodeOf(address node) external view returns (Node memory);

    /// @notice The contract that puts capacity to use, and knows whose groups are.
    function CLUSTERS() external view returns (address);
}
