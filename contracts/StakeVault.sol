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
 * @dev Invariants: token balance >= sum(active + pending) + credits + pots + burnPot; a lock never exceeds `active` except
 * after a slash; `unlockAt` never falls while something is pending; a tombstoned account takes no deposit; at least half
 * of every slash is burned. `slash` clamps and makes no external call, so nothing an accused does can make it revert.
 */
contract StakeVault is VaultRewards {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @notice Most of a slash that a reporter can get, in 1/10,000.
    uint256 public constant MAX_REPORTER_BPS = 3_000;
    /// @notice Most of a slash that reporter and consumer can get together: the rest is burned.
    uint256 public constant MAX_SHARED_BPS = 5_000;
    /// @notice Most that one slash pays to a reporter, in wei.
    uint256 public constant MAX_REWARD = 5_000e18;
    /// @notice Part of the stake that a conviction costs, in 1/10,000; everything when more than f of an epoch are convicted.
    uint256 public constant CONVICTION_BPS = 5_000;
    uint256 private constant CONVICTION_REPORTER_BPS = 1_000;
    /// @notice Answers given until this long after a lesser fault belong to it: a broken disk is one fault. Seconds.
    uint256 public constant ABSOLUTION = 24 hours;
    uint256 private constant FIRST_BPS = 1_000;
    uint256 private constant SECOND_BPS = 2_000;
    uint256 private constant THIRD_BPS = 4_000;
    uint256 private constant LAST_STEP = 3;

    modifier onlyOwnerOf(address node) {
        if (_owners[node].owner != msg.sender) {
            revert NotOwner(node, msg.sender);
        }
        _;
    }

    modifier onlySlasher() {
        _mustBeSlasher();
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
        VaultRewards(pint, registry)
    {}

    // ---- identity

    /**
     * @notice Makes the caller the owner of a new node, named by its first signer address.
     * Effects: account, key and owner are created.
     * Requirements: `signer` never belonged to a node; `possession` is its signature over `NodeKey(signer, caller, signer)`.
     */
    function register(address signer, bytes calldata possession) external {
        _mustConsent(signer, signer, possession);
        Stake memory stake;
        stake.status = Status.Active;
        _store(signer, stake);
        _badges[signer] = uint256(uint160(signer)) << 96;
        _owners[signer] = Holder(msg.sender, uint40(block.timestamp));
        emit Registered(signer, msg.sender, signer);
    }

    /**
     * @notice Replaces the signing key of `node`. The old key stays accountable.
     * Requirements: the caller owns the node, which is active; `signer` is new and signed `NodeKey(node, caller, signer)`.
     */
    function rotateSigner(address node, address signer, bytes calldata possession) external onlyOwnerOf(node) {
        _mustConsent(node, signer, possession);
        _mustBeActive(node, _load(node));
        _nodeOfLaterSigner[signer] = node;
        (uint256 previous, uint256 locked,) = _badgeOf(node);
        _badges[node] = uint256(uint160(signer)) << 96 | locked << 32;
        emit SignerRotated(node, signer, address(uint160(previous)));
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
        Stake memory stake = _load(node);
        _mustBeActive(node, stake);
        stake.active += _gwei(amount);
        _store(node, stake);
        emit Deposited(node, msg.sender, amount);
        IERC20(address(PINT)).safeTransferFrom(msg.sender, address(this), amount);
    }

    /**
     * @notice Starts the way out for `amount` of free stake. One entry: asking again adds to it and restarts its clock.
     * Effects: `amount` moves from active to pending, still slashable; `unlockAt` = now + UNBONDING, fixed from here on.
     * Requirements: the caller owns the node; whole gwei; active stake minus the lock covers it (a tombstoned node has no lock).
     */
    function requestUnbond(address node, uint256 amount) external onlyOwnerOf(node) {
        uint256 units = _gwei(amount);
        Stake memory stake = _load(node);
        uint256 free = _free(node, stake);
        if (amount > free) {
            revert Insufficient(free, amount);
        }
        stake.active -= units;
        stake.pending += units;
        stake.unlockAt = block.timestamp + UNBONDING;
        _store(node, stake);
        emit UnbondRequested(node, amount, stake.unlockAt);
    }

    /**
     * @notice Puts everything pending back to work.
     * Requirements: the caller owns the node, which is active and has something pending.
     */
    function cancelUnbond(address node) external onlyOwnerOf(node) {
        Stake memory stake = _load(node);
        _mustBeActive(node, stake);
        uint256 units = _takePending(stake);
        stake.active += units;
        _store(node, stake);
        emit UnbondCancelled(node, units * GWEI);
    }

    /**
     * @notice Pays what is pending to the owner.
     * Requirements: the caller owns the node; `unlockAt` has come; something is pending.
     */
    function withdraw(address node) external onlyOwnerOf(node) {
        Stake memory stake = _load(node);
        uint256 unlockAt = stake.unlockAt;
        uint256 amount = _takePending(stake) * GWEI;
        if (block.timestamp < unlockAt) {
            revert StillLocked(unlockAt);
        }
        _store(node, stake);
        emit Withdrawn(node, msg.sender, amount);
        IERC20(address(PINT)).safeTransfer(msg.sender, amount);
    }

    /// @dev Requirements: something is pending.
    function _takePending(Stake memory stake) private pure returns (uint256 units) {
        units = stake.pending;
        if (units == 0) {
            revert ZeroAmount();
        }
        (stake.pending, stake.unlockAt) = (0, 0);
    }

    /**
     * @notice Sets how much of a node's active stake backs the capacity it offers.
     * Requirements: the caller is the registry; a lock may only grow on an active node with enough stake, else StakeTooLow(need).
     */
    function setLock(address node, uint256 amount) external {
        if (msg.sender != REGISTRY) {
            revert NotRegistry(msg.sender);
        }
        Stake memory stake = _load(node);
        if (amount != 0) {
            _mustBeActive(node, stake);
        } else if (stake.status != Status.Active) {
            return; // its lock went with its badge
        }
        (uint256 signer, uint256 locked,) = _badgeOf(node);
        uint256 units = (amount + GWEI - 1) / GWEI;
        if (units > locked && units > stake.active) {
            revert StakeTooLow(amount);
        }
        _badges[node] = signer << 96 | units << 32;
        emit Locked(node, amount);
    }

    // ---- punishment

    /**
     * @notice Ends the service of an active node for a grave fault: takes half of its stake, or everything.
     * Effects: the node's word changes; what was taken waits in the place of its badge for `shareOut`: a tenth for the
     * reporter, two for the group's owner, the rest burns.
     * Requirements: the caller is an active slasher; the node that signs, or ever signed, as `signer` is active.
     * @dev The order of the parameters gives it an early place among the selectors: 22 gas for each that is compared before.
     */
    function convict(address signer, bytes32 group, uint8 kind, bool everything, address reporter) external onlySlasher {
        (address node, uint256 word) = _stakeOfSigner(signer);
        _mustBeUnpunished(node, word);
        uint256 units;
        (word, units) = _taken(word, everything ? BPS : CONVICTION_BPS);
        Status verdict = everything ? Status.Void : Status.Tombstoned;
        _write(node, _withStatus(word, verdict));
        uint256 taken = units * GWEI;
        Parts memory parts = Parts(reporter, _reward(reporter, taken, CONVICTION_REPORTER_BPS), group, address(0), taken / 5);
        _pinBounty(node, parts, units, block.timestamp);
        emit Slashed(node, kind, taken, parts.reward, reporter, parts.share, group, verdict);
    }

    /**
     * @notice A lesser fault, in an answer of an active node: 10 % of its stake, then 20, 40, 40 % and its end, each within
     * LADDER_WINDOW of the one before.
     * Effects: the node's word, the querier's credit (three tenths) and the group's pot (two for its owner, the rest burns) change.
     * Requirements: the caller is an active slasher; the node that signs, or ever signed, as `signer` is active; the answer
     * is dated neither later than now, nor earlier than ABSOLUTION after the node's last lesser fault. Because of these two
     * dates an answer is punished once, without a list of used ones.
     */
    function fine(address signer, uint8 kind, uint256 issuedAt, address querier, bytes32 group) external onlySlasher {
        (address node, uint256 word) = _stakeOfSigner(signer);
        _mustBeUnpunished(node, word);
        _mustBeFresh(word, issuedAt);
        uint256 taken;
        (word, taken) = _ladder(word);
        _write(node, word);
        (uint256 reward, uint256 share) = (_reward(querier, taken, MAX_REPORTER_BPS), taken / 5);
        _credit(querier, reward);
        _fill(group, share, taken - reward - share);
        emit Slashed(node, kind, taken, reward, querier, share, group, _statusIn(word));
    }

    function _mustBeFresh(uint256 word, uint256 issuedAt) private view {
        (uint256 lastFaultAt,) = _recordIn(word);
        if (issuedAt > block.timestamp) {
            revert FutureAnswer(issuedAt);
        }
        if (lastFaultAt != 0 && issuedAt <= lastFaultAt + ABSOLUTION) {
            revert Absolved(lastFaultAt + ABSOLUTION);
        }
    }

    /// @dev One step up, and what that costs.
    function _ladder(uint256 word) private view returns (uint256, uint256 taken) {
        word = _climbed(word);
        (, uint256 step) = _recordIn(word);
        (word, taken) = _taken(word, step == 1 ? FIRST_BPS : step == 2 ? SECOND_BPS : THIRD_BPS);
        return (step > LAST_STEP ? _withStatus(word, Status.Tombstoned) : word, taken * GWEI);
    }

    /**
     * @notice Takes a part of a node's stake: active first, then pending. At least half is burned, the shares vest.
     * Effects: the node's word changes; the reporter's credit and the group's pot grow (without a group the consumer's credit
     * and `burnPot`). With status Active the node climbs the ladder, with another it gets that status.
     * Requirements: the caller is an active slasher. Nothing else can make it revert: amounts and shares are clamped.
     * @return taken wei
     */
    function slash(Penalty calldata penalty) external onlySlasher returns (uint256 taken) {
        (uint256 word, uint256 units) = _taken(_read(penalty.node), penalty.bps);
        Status status = penalty.status;
        word = status > Status.Active ? _withStatus(word, status) : _climbed(word);
        _write(penalty.node, word);
        taken = units * GWEI;
        _share(penalty, taken, _statusIn(word));
    }

    /**
     * @notice Takes `amount` wei of a node's stake, rounded down to whole gwei, or what there is of it: active first, then pending.
     * No mark: neither ladder, status nor the time of the last fault change, so nobody can buy absolution of a lie with a
     * little silence.
     * Requirements: the caller is an active slasher. `bps` and `status` are not read; the rest as in `slash`.
     * @return taken wei
     */
    function drain(Penalty calldata penalty, uint256 amount) external onlySlasher returns (uint256 taken) {
        uint256 word = _read(penalty.node);
        (word, taken) = _reduced(word, amount / GWEI);
        _write(penalty.node, word);
        taken *= GWEI;
        _share(penalty, taken, _statusIn(word));
    }

    /// @dev Both parts together are at most half of `taken`.
    function _share(Penalty calldata penalty, uint256 taken, Status status) private {
        uint256 reward = _reward(penalty.reporter, taken, _min(penalty.reporterBps, MAX_REPORTER_BPS));
        bool shared = penalty.group != 0 || penalty.consumer != address(0);
        uint256 share = shared ? _min(taken * penalty.consumerBps / BPS, taken * MAX_SHARED_BPS / BPS - reward) : 0;
        _credit(penalty.reporter, reward);
        if (penalty.group != 0) {
            _fill(penalty.group, share, taken - reward - share);
        } else {
            _credit(penalty.consumer, share);
            _burnLater(taken - reward - share);
        }
        emit Slashed(penalty.node, penalty.kind, taken, reward, penalty.reporter, share, penalty.group, status);
    }

    /// @dev A tenth to three tenths of what was taken, at most MAX_REWARD; nothing to nobody.
    function _reward(address reporter, uint256 taken, uint256 bps) private pure returns (uint256) {
        return reporter == address(0) ? 0 : _min(taken * bps / BPS, MAX_REWARD);
    }

    function _mustBeUnpunished(address node, uint256 word) private pure {
        if (_statusIn(word) != Status.Active) {
            revert AlreadyPunished(node);
        }
    }

    function _mustBeActive(address node, Stake memory stake) private pure {
        if (stake.status != Status.Active) {
            revert NotActive(node, stake.status);
        }
    }
}
