// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {SignatureLib} from "./libraries/SignatureLib.sol";
import {VaultModules} from "./VaultModules.sol";
import {VaultRewards} from "./VaultRewards.sol";
import {PintToken} from "./PintToken.sol";

/**
 * @title All staked PINT
 * @notice Holds every node's stake, its way out, and the arithmetic of slashing. Immutable; its address is part of
 * every signature made in Picolo. Only a slash by an active slasher or the owner's own matured withdrawal
 * lowers an account.
 *
 * @dev Invariants: token balance >= sum(active + pending) + credits + burnPot; a lock never exceeds `active` except
 * after a slash; `unlockAt` never falls while something is pending; a tombstoned account takes no deposit; at least half
 * of every slash is burned. `slash` clamps and makes no external call, so nothing an accused does can make it revert.
 */
contract StakeVault is VaultRewards {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 10_000;
    /// @notice Most of a slash that a reporter can get, in 1/10,000.
    uint256 public constant MAX_REPORTER_BPS = 3_000;
    /// @notice Most of a slash that reporter and consumer can get together: the rest is burned.
    uint256 public constant MAX_SHARED_BPS = 5_000;
    /// @notice Most that one slash pays to a reporter, in wei.
    uint256 public constant MAX_REWARD = 5_000e18;
    /// @notice Lesser faults within this time of each other climb the ladder, in seconds.
    uint256 public constant LADDER_WINDOW = 30 days;

    /// @notice The one contract that may lock stake behind offered capacity.
    address public immutable REGISTRY;

    mapping(address node => Account) private _accounts;
    mapping(address node => Key) private _keys;
    mapping(address node => Owner) private _owners;
    /// @dev Node of every signer after its first, kept for ever; the first one is the node's own address.
    mapping(address signer => address) private _nodeOfLaterSigner;

    modifier onlyOwnerOf(address node) {
        if (_owners[node].owner != msg.sender) {
            revert NotOwner(node, msg.sender);
        }
        _;
    }

    /**
     * @param pint the token
     * @param registry the node registry, which locks stake
     * @param admin may propose and remove slashers, nothing else
     * @param periods unbonding, evidence window and dispute time, in seconds
     * @param slashers active from the start
     */
    constructor(PintToken pint, address registry, address admin, Periods memory periods, address[] memory slashers)
        VaultModules(admin, periods, slashers)
        VaultRewards(pint)
    {
        if (registry == address(0)) {
            revert ZeroAddress();
        }
        REGISTRY = registry;
    }

    // ---- identity

    /**
     * @notice Makes the caller the owner of a new node, named by its first signer address.
     * Effects: account, key and owner are created.
     * Requirements: `signer` never belonged to a node; `possession` is its signature over `NodeKey(signer, caller, signer)`.
     */
    function register(address signer, bytes calldata possession) external {
        _mustConsent(signer, signer, possession);
        _accounts[signer].status = Status.Active;
        _keys[signer].signer = signer;
        _owners[signer] = Owner(msg.sender, uint40(block.timestamp), 0, 0);
        emit Registered(signer, msg.sender, signer);
    }

    /**
     * @notice Replaces the signing key of `node`. The old key stays accountable.
     * Requirements: the caller owns the node; `signer` is new and signed `NodeKey(node, caller, signer)`.
     */
    function rotateSigner(address node, address signer, bytes calldata possession) external onlyOwnerOf(node) {
        _mustConsent(node, signer, possession);
        _nodeOfLaterSigner[signer] = node;
        address previous = _keys[node].signer;
        _keys[node].signer = signer;
        emit SignerRotated(node, signer, previous);
    }

    function _mustConsent(address node, address signer, bytes calldata possession) private view {
        if (nodeOfSigner(signer) != address(0)) {
            revert SignerTaken(signer);
        }
        bytes32 consent = PicoloHashes.hash(PicoloHashes.NodeKey(node, msg.sender, signer));
        address recovered = SignatureLib.recover(Eip712.digest(Eip712.separator(address(this)), consent), possession);
        if (recovered == address(0) || recovered != signer) {
            revert BadPossession(signer);
        }
    }

    // ---- stake

    /**
     * @notice Adds `amount` of the caller's PINT to the stake of `node`. Anybody may: it touches no clock.
     * Requirements: the node is active; the caller approved the vault.
     */
    function deposit(address node, uint256 amount) external {
        _deposit(node, amount);
    }

    /// @notice The same for somebody else's node, under the name that says so.
    function depositFor(address node, uint256 amount) external {
        _deposit(node, amount);
    }

    /// @notice `deposit` with an ERC-2612 permit; a permit that was used already is no obstacle.
    function depositWithPermit(address node, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external {
        try IERC20Permit(address(PINT)).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        _deposit(node, amount);
    }

    function _deposit(address node, uint256 amount) private {
        Account storage account = _accounts[node];
        if (account.status != Status.Active) {
            revert NotActive(node, account.status);
        }
        if (amount == 0) {
            revert ZeroAmount();
        }
        account.active += amount.toUint96();
        emit Deposited(node, msg.sender, amount);
        IERC20(address(PINT)).safeTransferFrom(msg.sender, address(this), amount);
    }

    /**
     * @notice Starts the way out for `amount` of free stake. One entry: asking again adds to it and restarts its clock.
     * Effects: `amount` moves from active to pending, still slashable; `unlockAt` = now + UNBONDING, fixed from here on.
     * Requirements: the caller owns the node; active stake minus the lock covers it (a tombstoned node has no lock).
     */
    function requestUnbond(address node, uint256 amount) external onlyOwnerOf(node) {
        Account memory account = _accounts[node];
        if (amount == 0) {
            revert ZeroAmount();
        }
        uint256 free = _free(node, account);
        if (amount > free) {
            revert Insufficient(free, amount);
        }
        account.active -= uint96(amount);
        account.pending += uint96(amount);
        account.unlockAt = uint40(block.timestamp + UNBONDING);
        _accounts[node] = account;
        emit UnbondRequested(node, amount, account.unlockAt);
    }

    /**
     * @notice Puts everything pending back to work.
     * Requirements: the caller owns the node, which is active and has something pending.
     */
    function cancelUnbond(address node) external onlyOwnerOf(node) {
        Account memory account = _accounts[node];
        if (account.status != Status.Active) {
            revert NotActive(node, account.status);
        }
        uint96 amount = account.pending;
        if (amount == 0) {
            revert ZeroAmount();
        }
        account.active += amount;
        (account.pending, account.unlockAt) = (0, 0);
        _accounts[node] = account;
        emit UnbondCancelled(node, amount);
    }

    /**
     * @notice Pays what is pending to the owner.
     * Requirements: the caller owns the node; `unlockAt` has come; something is pending.
     */
    function withdraw(address node) external onlyOwnerOf(node) {
        Account memory account = _accounts[node];
        uint256 amount = account.pending;
        if (amount == 0) {
            revert ZeroAmount();
        }
        if (block.timestamp < account.unlockAt) {
            revert StillLocked(account.unlockAt);
        }
        (account.pending, account.unlockAt) = (0, 0);
        _accounts[node] = account;
        emit Withdrawn(node, msg.sender, amount);
        IERC20(address(PINT)).safeTransfer(msg.sender, amount);
    }

    /**
     * @notice Sets how much of a node's active stake backs the capacity it offers.
     * Requirements: the caller is the registry; a lock may only grow on an active node with enough stake, else StakeTooLow(need).
     */
    function setLock(address node, uint256 amount) external {
        if (msg.sender != REGISTRY) {
            revert NotRegistry(msg.sender);
        }
        Account memory account = _accounts[node];
        Key storage key = _keys[node];
        if (amount > key.locked) {
            if (account.status != Status.Active) {
                revert NotActive(node, account.status);
            }
            if (account.active < amount) {
                revert StakeTooLow(amount);
            }
        }
        key.locked = amount.toUint96();
        emit Locked(node, amount);
    }

    // ---- punishment

    /**
     * @notice Takes a part of a node's stake: active first, then pending. At least half is burned, the shares vest.
     * Effects: account, credits and `burnPot` change; a lesser fault climbs the ladder, a grave one sets the status.
     * Requirements: the caller is an active slasher. Nothing else can make it revert: amounts and shares are clamped.
     * @return taken wei
     */
    function slash(Penalty calldata penalty) external returns (uint256 taken) {
        if (!isSlasher[msg.sender]) {
            revert NotSlasher(msg.sender);
        }
        taken = _take(penalty);
        _share(penalty, taken);
    }

    /**
     * @notice Takes `amount` wei of a node's stake, or what there is of it: active first, then pending. No mark: neither ladder,
     * status nor the time of the last fault change, so nobody can buy absolution of a lie with a little silence.
     * Requirements: the caller is an active slasher. `bps` and `status` are not read; the rest as in `slash`.
     * @return taken wei
     */
    function drain(Penalty calldata penalty, uint256 amount) external returns (uint256 taken) {
        if (!isSlasher[msg.sender]) {
            revert NotSlasher(msg.sender);
        }
        Account memory account = _accounts[penalty.node];
        taken = _reduce(account, amount);
        _accounts[penalty.node] = account;
        _share(penalty, taken);
    }

    function _share(Penalty calldata penalty, uint256 taken) private {
        uint256 reporterBps = penalty.reporter == address(0) ? 0 : _min(penalty.reporterBps, MAX_REPORTER_BPS);
        uint256 consumerBps = penalty.consumer == address(0) ? 0 : _min(penalty.consumerBps, MAX_SHARED_BPS - reporterBps);
        uint256 reward;
        uint256 consumerShare;
        unchecked {
            // both parts together are at most half of `taken`
            reward = _min(taken * reporterBps / BPS, MAX_REWARD);
            consumerShare = taken * consumerBps / BPS;
            burnPot += taken - reward - consumerShare;
        }
        _credit(penalty.reporter, reward);
        _credit(penalty.consumer, consumerShare);
        emit Slashed(penalty.node, penalty.kind, taken, reward, penalty.reporter, consumerShare);
    }

    function _take(Penalty calldata penalty) private returns (uint256 taken) {
        Account memory account = _accounts[penalty.node];
        unchecked {
            // stake is part of the supply, below 2^90
            uint256 stake = uint256(account.active) + account.pending;
            taken = _reduce(account, (stake * penalty.bps + BPS - 1) / BPS);
            if (account.faults != type(uint16).max) {
                ++account.faults;
            }
        }
        if (penalty.status > Status.Active) {
            account.status = penalty.status;
            emit Tombstone(penalty.node, penalty.status);
        } else {
            _climb(_owners[penalty.node]);
        }
        _accounts[penalty.node] = account;
    }

    function _reduce(Account memory account, uint256 amount) private pure returns (uint256 taken) {
        unchecked {
            taken = _min(amount, uint256(account.active) + account.pending);
            uint256 fromActive = _min(taken, account.active);
            account.active -= uint96(fromActive);
            account.pending -= uint96(taken - fromActive);
        }
    }

    function _climb(Owner storage owner) private {
        Owner memory record = owner;
        bool recent = record.lastFaultAt != 0 && block.timestamp <= uint256(record.lastFaultAt) + LADDER_WINDOW;
        uint16 step = record.ladder == type(uint16).max ? record.ladder : record.ladder + 1;
        record.ladder = recent ? step : 1;
        record.lastFaultAt = uint40(block.timestamp);
        owner.lastFaultAt = record.lastFaultAt;
        owner.ladder = record.ladder;
    }

    // ---- views

    /// @notice Stake, exit and status of `node`.
    function accountOf(address node) external view returns (Account memory) {
        return _accounts[node];
    }

    /// @notice Current signer and locked stake of `node`.
    function keyOf(address node) external view returns (Key memory) {
        return _keys[node];
    }

    /// @notice Owner, entry time and fault record of `node`.
    function ownerOf(address node) external view returns (Owner memory) {
        return _owners[node];
    }

    /// @notice Stake that `node` could ask to leave with, in wei.
    function freeOf(address node) external view returns (uint256) {
        return _free(node, _accounts[node]);
    }

    /// @notice What a registry asks of a member: its signer, its status, and whether its stake covers its lock.
    function standing(address node) external view returns (address signer, Status status, bool backed) {
        Account memory account = _accounts[node];
        Key memory key = _keys[node];
        return (key.signer, account.status, account.active >= key.locked);
    }

    /// @notice Node that signs, or ever signed, as `signer`; zero when there is none.
    function nodeOfSigner(address signer) public view returns (address) {
        (address node, Status status) = statusOfSigner(signer);
        return status == Status.None ? address(0) : node;
    }

    /// @notice The same with its status; a node without status does not exist.
    function statusOfSigner(address signer) public view returns (address node, Status status) {
        node = _nodeOfLaterSigner[signer];
        if (node == address(0)) {
            node = signer;
        }
        status = _accounts[node].status;
    }

    /// @notice The same with the time of its last lesser fault (zero without one) and its step on the ladder.
    function recordOfSigner(address signer) external view returns (address node, Status status, uint256 lastFaultAt, uint256 ladder) {
        (node, status) = statusOfSigner(signer);
        Owner memory owner = _owners[node];
        return (node, status, owner.lastFaultAt, owner.ladder);
    }

    /// @notice Separator of the domain of everything nodes and clients sign.
    function domainSeparator() external view returns (bytes32) {
        return Eip712.separator(address(this));
    }

    function _free(address node, Account memory account) private view returns (uint256) {
        if (account.status != Status.Active) {
            return account.active;
        }
        uint256 locked = _keys[node].locked;
        return account.active > locked ? account.active - locked : 0;
    }

    function _min(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? a : b;
    }
}
