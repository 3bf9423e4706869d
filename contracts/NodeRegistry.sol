// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ISystemParams} from "./interfaces/ISystemParams.sol";
import {NodeLadder} from "./NodeLadder.sol";

/**
 * @title What nodes offer
 * @notice Capacity and region of every node, and the rule that stake is in proportion to them (whitepaper §6.3.1).
 * An offer locks its stake in the vault; capacity in use cannot be taken back, so nobody leaves a group
 * by unbonding. Fees that were collected lock stake too, for as long as the service behind them can be
 * proven false. Region is declared by the node.
 * @dev Invariants: used <= offered; the lock in the vault is at least what the node's offer needed when it was made. A lock for
 * fees takes free stake only: it never refuses a payment and never makes a node look unbacked.
 */
contract NodeRegistry is NodeLadder {
    using SafeCast for uint256;

    /// @notice Regions are numbers below this.
    uint256 public constant REGIONS = 16;
    /// @notice Longest announced address, in bytes.
    uint256 public constant MAX_ENDPOINT = 512;
    uint256 private constant GWEI = 1e9;
    uint256 private constant BPS = 10_000;

    /// @notice The contract that puts capacity to use.
    address public immutable CLUSTERS;
    /// @notice The contract through which clusters pay nodes.
    address public immutable SPLITTER;

    mapping(address node => Node) private _nodes;
    mapping(address node => Fees) private _fees;

    modifier onlyOwnerOf(address node) {
        if (VAULT.holderOf(node) != msg.sender) {
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
     * @param params the parameters
     * @param clusters the cluster registry
     * @param splitter the splitter
     */
    constructor(IStakeVault vault, ISystemParams params, address clusters, address splitter) NodeLadder(vault, params) {
        (CLUSTERS, SPLITTER) = (clusters, splitter);
    }

    /**
     * @notice Declares what `node` offers from now on; all zeros withdraw it.
     * Effects: the record changes and the vault locks what it needs at today's rates.
     * Requirements: the caller owns the node; capacity in use stays offered; the region exists; the stake suffices,
     * else StakeTooLow(need). Offering more waits while a guardian's stop of offers lasts; offering less never does.
     */
    function setResources(address node, Resources calldata resources) external onlyOwnerOf(node) {
        Node storage record = _nodes[node];
        if (resources.gib < record.usedGib) {
            revert CapacityInUse(record.usedGib);
        }
        if (resources.region >= REGIONS) {
            revert UnknownRegion(resources.region);
        }
        if (resources.gib > record.offeredGib || resources.vcpu > record.vcpu) {
            PARAMS.requireOpen(ISystemParams.Exposure.Offers);
        }
        record.offeredGib = resources.gib;
        record.vcpu = resources.vcpu;
        record.memoryGib = resources.memoryGib;
        record.mbps = resources.mbps;
        record.region = resources.region;
        record.updatedAt = uint40(block.timestamp);
        emit NodeUpdated(node, resources);
        uint256 need = requiredStake(resources.gib, resources.vcpu);
        record.stakeGwei = uint64(_min((need + GWEI - 1) / GWEI, type(uint64).max)); // what is clamped is above the supply: no lock
        VAULT.setLock(node, _lockFor(node, need));
    }

    /// @dev What backs an offer that needs `need`: a node that never collected fees is not asked about them.
    function _lockFor(address node, uint256 need) private view returns (uint256) {
        Fees memory fees = _fees[node];
        if (fees.current == 0 && fees.previous == 0) {
            return need;
        }
        IStakeVault.Account memory account = VAULT.accountOf(node);
        return account.status == IStakeVault.Status.Active ? _withFees(need, feeStakeOf(node), account.active) : need;
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

    // ---- fees

    /**
     * @inheritdoc INodeRegistry
     * @dev Two windows, no list: what the current one collected stays locked through the next one as well, so every fee locks
     * for at least one period and at most two.
     */
    function noteFees(address node, address token, uint256 amount) external {
        if (msg.sender != SPLITTER) {
            revert NotSplitter(msg.sender);
        }
        uint256 rate = PARAMS.feeRateOf(token);
        uint256 worth = amount > type(uint128).max ? 0 : amount * rate / 1e18;
        ISystemParams.FeeLock memory rule = PARAMS.feeLock();
        Fees memory fees = _rolled(_fees[node], rule.period);
        fees.earned = _min(fees.earned + worth, type(uint96).max).toUint96();
        fees.current = _min(fees.current + worth * rule.bps / BPS / GWEI, type(uint64).max).toUint64();
        _fees[node] = fees;
        emit FeesNoted(node, token, amount, worth);
        _relock(node, uint256(fees.current) + fees.previous);
    }

    /// @notice Frees what fees no longer lock. Anybody may.
    function releaseFees(address node) external {
        Fees memory fees = _rolled(_fees[node], PARAMS.feeLock().period);
        _fees[node] = fees;
        _relock(node, uint256(fees.current) + fees.previous);
    }

    /// @notice Stake that fees of `node` ask to be locked now, in wei.
    function feeStakeOf(address node) public view returns (uint256) {
        Fees memory fees = _rolled(_fees[node], PARAMS.feeLock().period);
        return (uint256(fees.current) + fees.previous) * GWEI;
    }

    /// @inheritdoc NodeLadder
    function earnedOf(address node) public view override returns (uint256) {
        return _fees[node].earned;
    }

    // ---- views

    /// @notice Stake that offering this much needs today, in wei; nothing offered needs nothing.
    function requiredStake(uint256 gib, uint256 vcpu) public view returns (uint256) {
        ISystemParams.StakeRates memory rates = PARAMS.stakeRates();
        return gib == 0 && vcpu == 0 ? 0 : rates.minimum + gib * rates.perGib + vcpu * rates.perVcpu;
    }

    /// @notice Stake that the offer of `node` needs, at the rates of the day it was made, in wei.
    function offerStakeOf(address node) public view returns (uint256) {
        return _nodes[node].stakeGwei * GWEI;
    }

    /// @notice Record of `node`.
    function nodeOf(address node) external view returns (Node memory) {
        return _nodes[node];
    }

    // ---- inside

    /// @dev A node whose stake no longer covers its offer keeps that lock: it must go on looking unbacked.
    function _relock(address node, uint256 gwei_) private {
        IStakeVault.Account memory account = VAULT.accountOf(node);
        uint256 need = offerStakeOf(node);
        if (account.status == IStakeVault.Status.Active && account.active >= need) {
            VAULT.setLock(node, _withFees(need, gwei_ * GWEI, account.active));
        }
    }

    /// @dev The lock of the offer, and that of the fees as far as there is stake.
    function _withFees(uint256 need, uint256 fees, uint256 active) private pure returns (uint256) {
        uint256 whole = _min(need + fees, active);
        return whole > need ? whole : need;
    }

    function _rolled(Fees memory fees, uint256 period) private view returns (Fees memory) {
        if (block.timestamp >= fees.windowEnd) {
            bool next = block.timestamp < fees.windowEnd + period;
            fees.previous = next ? fees.current : 0;
            fees.current = 0;
            fees.windowEnd = uint32((next ? fees.windowEnd : block.timestamp) + period);
        }
        return fees;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
