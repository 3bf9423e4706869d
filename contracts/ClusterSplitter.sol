// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IPaymentChannels} from "./interfaces/IPaymentChannels.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {NonReentrant} from "./libraries/NonReentrant.sol";
import {Quorum} from "./libraries/Quorum.sol";

/**
 * @title One payee for all replicas of a cluster
 * @notice A cluster's channel names this contract as payee and the cluster id as salt. What the channel pays is shared
 * equally over the cluster's open groups and inside a group equally over the members of its current epoch.
 *
 * @dev What a channel has paid is read from the channel's own record, not measured, so it does not matter who
 * collected. Tokens that take a fee on transfer are unsupported here. Nodes should collect before an epoch
 * ends: money follows the epoch in which it was shared, and the payment threshold bounds the difference.
 */
contract ClusterSplitter is NonReentrant {
    using SafeERC20 for IERC20;

    event Shared(bytes32 indexed cluster, bytes32 indexed channel, address token, uint256 amount);
    event GroupPaid(bytes32 indexed group, uint64 epoch, address indexed token, uint256 amount);
    event Claimed(bytes32 indexed group, uint64 epoch, address indexed node, address token, uint256 amount);

    error NotPayee();
    error NothingNew();
    error BadGroups();
    error BadRoster();
    error NotMember(uint256 index);
    error NotDelivered(address account);

    /// @notice Payment channels that pay this contract.
    IPaymentChannels public immutable CHANNELS;
    /// @notice Groups and rosters.
    IClusterRegistry public immutable CLUSTERS;
    /// @notice Owners of nodes.
    IStakeVault public immutable VAULT;
    /// @notice Where fees of nodes are counted.
    INodeRegistry public immutable NODES;

    /// @notice Total of a channel that was shared already, in wei.
    mapping(bytes32 channel => uint256) public sharedOf;
    /// @notice Total for one group epoch and token, in wei.
    mapping(bytes32 pot => uint256) public potOf;
    /// @notice Part of a pot that a signer's node has been paid, in wei.
    mapping(bytes32 pot => mapping(address signer => uint256)) public paidOf;

    /**
     * @param channels payment channels
     * @param clusters cluster registry
     * @param vault stake vault
     * @param nodes node registry
     */
    constructor(IPaymentChannels channels, IClusterRegistry clusters, IStakeVault vault, INodeRegistry nodes) {
        (CHANNELS, CLUSTERS, VAULT, NODES) = (channels, clusters, vault, nodes);
    }

    /// @notice Ether from channels.
    receive() external payable {}

    /**
     * @notice Collects a voucher and shares it. Anybody may.
     * @param indexes the cluster's open groups, ascending; the last formed group when none is open
     */
    function collect(IPaymentChannels.Key calldata key, uint128 cumulative, bytes calldata signature, uint256[] calldata indexes) external {
        CHANNELS.collect(key, cumulative, signature);
        share(key, indexes);
    }

    /**
     * @notice Shares what a channel has paid since the last time. Anybody may.
     * Effects: the pots of the groups' current epochs grow equally; a remainder waits for the next time.
     * Requirements: the channel pays this contract; it paid something new; `indexes` as in `collect`.
     */
    function share(IPaymentChannels.Key calldata key, uint256[] calldata indexes) public {
        if (key.payee != address(this)) {
            revert NotPayee();
        }
        bytes32 channel = CHANNELS.channelId(key);
        uint256 each = (CHANNELS.channelOf(channel).claimed - sharedOf[channel]) / _checkedCount(key.salt, indexes);
        if (each == 0) {
            revert NothingNew();
        }
        sharedOf[channel] += each * indexes.length;
        for (uint256 i = 0; i < indexes.length; ++i) {
            bytes32 group = CLUSTERS.groupId(key.salt, indexes[i]);
            uint64 epoch = CLUSTERS.groupOf(group).epoch;
            potOf[potId(group, epoch, key.token)] += each;
            emit GroupPaid(group, epoch, key.token, each);
        }
        emit Shared(key.salt, channel, key.token, each * indexes.length);
    }

    /**
     * @notice Pays a member's part of a pot to the owner of its node. Anybody may.
     * Effects: the registry counts the fee and locks stake for it.
     * @param roster packed roster of that epoch
     * @param index place of the member in it
     * Requirements: `roster` is the epoch's; there is something to pay.
     */
    function claim(bytes32 group, uint64 epoch, address token, bytes calldata roster, uint256 index) external nonReentrant {
        (IClusterRegistry.Epoch memory record,) = CLUSTERS.membership(group, epoch);
        if (Quorum.digestOf(roster) != record.roster) {
            revert BadRoster();
        }
        if (index >= record.size) {
            revert NotMember(index);
        }
        address signer = address(bytes20(roster[index * 20:index * 20 + 20]));
        bytes32 pot = potId(group, epoch, token);
        uint256 part = potOf[pot] / record.size;
        uint256 amount = part - paidOf[pot][signer];
        if (amount == 0) {
            revert NothingNew();
        }
        paidOf[pot][signer] = part;
        address node = VAULT.nodeOfSigner(signer);
        emit Claimed(group, epoch, node, token, amount);
        NODES.noteFees(node, token, amount);
        _pay(token, VAULT.holderOf(node), amount);
    }

    /**
     * @notice Whether a cluster pays well enough to be served: nobody has asked for the rest back, and what is left is at least twice the
     * threshold at which nodes stop (whitepaper §6.5, cheating owner).
     * @param key the channel that the cluster is paid by
     * @param terms the cluster's latest terms
     */
    function inGoodStanding(IPaymentChannels.Key calldata key, IClusterRegistry.Terms calldata terms) external view returns (bool) {
        bool named = key.payee == address(this) && key.token == terms.token;
        if (!named || CLUSTERS.termsHashOf(key.salt) != keccak256(abi.encode(terms))) {
            return false;
        }
        IPaymentChannels.Channel memory channel = CHANNELS.channelOf(CHANNELS.channelId(key));
        return channel.closeAt == 0 && channel.deposit - channel.claimed >= 2 * uint256(terms.threshold);
    }

    /// @notice Key of a group epoch's pot in one token.
    function potId(bytes32 group, uint64 epoch, address token) public pure returns (bytes32) {
        return keccak256(abi.encode("picolo.pot", group, epoch, token));
    }

    /// @dev Distinct indexes in ascending order, as many as are open and all of them open: so they are all of the open groups.
    function _checkedCount(bytes32 cluster, uint256[] calldata indexes) private view returns (uint256 count) {
        IClusterRegistry.Cluster memory record = CLUSTERS.clusterOf(cluster);
        count = indexes.length;
        if (record.open == 0) {
            if (record.groups == 0 || count != 1 || indexes[0] != record.groups - 1) {
                revert BadGroups();
            }
            return 1;
        }
        if (count != record.open) {
            revert BadGroups();
        }
        for (uint256 i = 0; i < count; ++i) {
            bool ascending = i == 0 || indexes[i - 1] < indexes[i];
            if (!ascending || !CLUSTERS.groupOf(CLUSTERS.groupId(cluster, indexes[i])).open) {
                revert BadGroups();
            }
        }
    }

    function _pay(address token, address to, uint256 amount) private {
        if (token != address(0)) {
            IERC20(token).safeTransfer(to, amount);
            return;
        }
        (bool delivered,) = to.call{value: amount}("");
        if (!delivered) {
            revert NotDelivered(to);
        }
    }
}
