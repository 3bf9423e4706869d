// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAvailabilityCourt} from "./interfaces/IAvailabilityCourt.sol";
import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Certified} from "./libraries/Certified.sol";
import {DrainMath} from "./libraries/DrainMath.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Packed} from "./libraries/Packed.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {TreeEntry} from "./libraries/TreeEntry.sol";

/**
 * @title Silence costs stake (Picolo §6.2)
 * @notice Anybody asks a node, on chain and with a bond, for a cell of a certified checkpoint. The node answers with the
 * cell's proof under a certified root and earns the bond. A node that does not is drained by `DrainMath` from the moment it was
 * asked until it answers, leaves in order, is replaced, or has lost the most that one silence costs. Nobody has to prove silence: the clock does.
 *
 * @dev One challenge per node and group at a time. What the drain depends on is copied into the challenge when it is opened.
 * Nothing here can pause, and no parameter can change.
 */
contract AvailabilityCourt is IAvailabilityCourt, Payouts {
    /// @notice Number of this offence in `Slashed` events.
    uint8 public constant SILENCE = 20;
    /// @notice Time to answer, in seconds.
    uint256 public constant REPLY_WINDOW = 1 hours;
    /// @notice After an answer nobody can challenge the same node in the same group for so long, in seconds.
    uint256 public constant COOL_DOWN = 1 hours;
    /// @notice A node may declare a hardware failure once in so many seconds.
    uint256 public constant FAILURE_INTERVAL = 90 days;
    /// @notice Gas that the bond pays for; an answer takes less.
    uint256 public constant ANSWER_GAS = 120_000;
    /// @notice Least price per gas in the bond, in wei.
    uint256 public constant LEAST_GAS_PRICE = 1 gwei;
    uint16 private constant REPORTER_BPS = 2_000;
    uint16 private constant CONSUMER_BPS = 3_000;

    /// @notice The vault: owners, stake, signature domain.
    IStakeVault public immutable VAULT;
    /// @notice The registry of rosters.
    IClusterRegistry public immutable CLUSTERS;
    /// @notice The registry of capacity.
    INodeRegistry public immutable NODES;

    mapping(bytes32 place => Challenge) private _challenges;
    /// @dev When the node declared a hardware failure in this group epoch.
    mapping(bytes32 place => uint256) private _failedAt;
    /// @notice When a node last declared a hardware failure; zero if never.
    mapping(address node => uint256) public lastFailureAt;
    /// @notice When a node's last drain ended: its uptime counts from there.
    mapping(address node => uint256) public outageAt;

    /**
     * @param vault the stake vault
     * @param clusters the cluster registry
     * @param nodes the node registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters, INodeRegistry nodes) {
        (VAULT, CLUSTERS, NODES) = (vault, clusters, nodes);
    }

    /**
     * @notice Asks the node at a place of a roster for the cell at `path`.
     * Effects: the challenge stands with the drain rate of now; the bond, all of msg.value, is held.
     * Requirements: the epoch lasts; `certified` is as written below with a quorum of it; the node is active, has no open
     * challenge in this group, no cool-down, and neither left in order nor declared a failure in this epoch; msg.value >= `requiredBond`.
     * @param certified group(32) ‖ index(1) ‖ epoch(8) ‖ height(8) ‖ stateRoot(32) ‖ detail(32) ‖ size(1) ‖ roster(20 each) ‖ certificate.
     * The certificate shows that the height exists: nobody can be asked for a future that the group has not reached.
     */
    function open(bytes32 path, bytes calldata certified) external payable {
        uint256 pos = Packed.start(certified);
        (bytes32 group, uint256 index) = (Packed.word(pos), Packed.u8(pos + 32));
        Challenge memory asked;
        (asked.challenger, asked.openedAt, asked.path) = (msg.sender, uint40(block.timestamp), path);
        asked.epoch = Packed.u64(pos + 33);
        (asked.height,, pos) = _certified(group, asked.epoch, pos + 41);
        Packed.finish(certified, pos);
        address node = _memberAt(Packed.start(certified) + 113, index);
        _mustBeOpen(group, node, asked.epoch);
        _fill(asked, node);
        _challenges[placeOf(group, node)] = asked;
        emit ChallengeOpened(
            group, node, msg.sender, asked.epoch, asked.height, path, block.timestamp + REPLY_WINDOW, asked.bond, asked.rate
        );
    }

    /**
     * @notice Answers with the cell: present with its row hash, or absent, under a certified root not older than the one asked about.
     * Effects: in time, the bond goes to the caller. Late, what the silence cost until now is taken and the bond goes back.
     * Either way the challenge is over and the cool-down begins.
     * Requirements: the caller owns the node; a challenge is open; its epoch lasts, or ended a moment ago (`Certified.HANDOVER`).
     * @param answer height(8) ‖ stateRoot(32) ‖ detail(32) ‖ size(1) ‖ roster(20 each) ‖ certificate ‖ entry as in `TreeEntry`,
     * the epoch being the challenge's
     */
    function respond(bytes32 group, address node, bytes calldata answer) external nonReentrant {
        _mustOwn(node);
        Challenge storage asked = _challenges[placeOf(group, node)];
        (address challenger, uint256 openedAt) = (asked.challenger, asked.openedAt);
        if (challenger == address(0)) {
            revert NoChallenge();
        }
        bool late = block.timestamp > openedAt + REPLY_WINDOW;
        _check(group, node, asked, answer, late);
        if (late) {
            Challenge memory whole = asked;
            uint256 end = _endOf(group, node, whole.epoch);
            _drain(group, node, whole, end < block.timestamp ? end : block.timestamp);
            _close(group, node, whole, COOL_DOWN);
        } else {
            _clear(asked, COOL_DOWN);
            _pay(address(0), msg.sender, asked.bond);
        }
    }

    /**
     * @notice Takes what the silence of `node` has cost since the last time. Anybody may, as often as they like: the total is the same.
     * Effects: stake is drained; the challenge ends when its epoch ended, the node left in order or declared a failure, or the most is taken.
     * Requirements: a challenge is open and its reply window over, unless one of those ended it.
     */
    function settle(bytes32 group, address node) external nonReentrant {
        bytes32 place = placeOf(group, node);
        Challenge memory asked = _mustExist(place);
        uint256 end = _endOf(group, node, asked.epoch);
        uint256 answerBy = asked.openedAt + REPLY_WINDOW;
        bool over = end <= block.timestamp;
        if (!over && block.timestamp <= answerBy) {
            revert TooEarly(answerBy + 1);
        }
        bool exhausted = _drain(group, node, asked, over ? end : block.timestamp);
        if (over || exhausted) {
            _close(group, node, asked, 0);
        } else {
            _challenges[place].taken = asked.taken;
        }
    }

    /**
     * @notice The machine of `node` broke: it asked to leave this group and says why. It will be replaced, not slashed (P-6.2-hardware).
     * Effects: no silence in this group epoch costs anything from now on.
     * Requirements: the caller owns the node and has given notice in the current epoch (`ClusterRegistry.requestLeave`), so that
     * it can close the group if its owner does not replace it; not more often than FAILURE_INTERVAL.
     */
    function declareFailure(bytes32 group, address node) external {
        _mustOwn(node);
        uint64 epoch = CLUSTERS.groupOf(group).epoch;
        if (CLUSTERS.mayCloseAt(CLUSTERS.noticeId(group, epoch, msg.sender)) == 0) {
            revert NotLeaving(node);
        }
        uint256 last = lastFailureAt[node];
        if (last != 0 && block.timestamp < last + FAILURE_INTERVAL) {
            revert FailedRecently(last + FAILURE_INTERVAL);
        }
        lastFailureAt[node] = block.timestamp;
        _failedAt[_failureOf(group, node, epoch)] = block.timestamp;
        emit HardwareFailed(group, node, epoch);
    }

    // ---- views

    /// @notice The challenge of `node` in `group`; `challenger` zero when none is open.
    function challengeOf(bytes32 group, address node) external view returns (Challenge memory) {
        return _challenges[placeOf(group, node)];
    }

    /// @notice Least bond of a challenge in the current block, in wei: twice what an answer costs at the current price.
    function requiredBond() public view returns (uint256) {
        return ANSWER_GAS * (2 * block.basefee + LEAST_GAS_PRICE);
    }

    /// @notice Rate at which a silence of `node` that began now would drain it, in 1e-18 of its stake per hour.
    function rateOf(address node) public view returns (uint256) {
        INodeRegistry.Node memory offer = NODES.nodeOf(node);
        uint256 since = VAULT.ownerOf(node).joinedAt;
        if (outageAt[node] > since) {
            since = outageAt[node];
        }
        // rewards count at their reference: no record on chain of what a node earned costs anything to forge (decision 0150)
        return DrainMath.rate(
            DrainMath.Inputs(
                offer.usedGib,
                block.timestamp - since,
                offer.offeredGib == 0 ? 0 : uint256(offer.usedGib) * 10_000 / offer.offeredGib,
                DrainMath.REFERENCE_REWARDS
            )
        );
    }

    /// @notice What `settle` would take now, in wei.
    function dueOf(bytes32 group, address node) external view returns (uint256) {
        Challenge memory asked = _mustExist(placeOf(group, node));
        uint256 end = _endOf(group, node, asked.epoch);
        end = end < block.timestamp ? end : block.timestamp;
        if (end <= asked.openedAt + REPLY_WINDOW) {
            return 0;
        }
        return DrainMath.due(asked.stake, asked.rate, end - asked.openedAt) - asked.taken;
    }

    /// @notice Key of a node's challenge in a group.
    function placeOf(bytes32 group, address node) public pure returns (bytes32) {
        return keccak256(abi.encode("picolo.place", group, node));
    }

    // ---- inside

    function _mustOwn(address node) private view {
        if (VAULT.holderOf(node) != msg.sender) {
            revert NotOwner(node, msg.sender);
        }
    }

    function _mustExist(bytes32 place) private view returns (Challenge memory asked) {
        asked = _challenges[place];
        if (asked.challenger == address(0)) {
            revert NoChallenge();
        }
    }

    function _mustBeOpen(bytes32 group, address node, uint64 epoch) private view {
        Challenge storage before = _challenges[placeOf(group, node)];
        if (before.challenger != address(0)) {
            revert ChallengePending(before.challenger);
        }
        if (block.timestamp < before.coolUntil) {
            revert CoolDown(before.coolUntil);
        }
        uint256 end = _endOf(group, node, epoch);
        if (end <= block.timestamp) {
            revert LeftOrderly(end);
        }
    }

    /// @dev Bond, stake and rate of a new challenge.
    function _fill(Challenge memory asked, address node) private view {
        IStakeVault.Account memory account = VAULT.accountOf(node);
        if (account.status != IStakeVault.Status.Active) {
            revert NodeNotActive(node);
        }
        uint256 need = requiredBond();
        if (msg.value < need || msg.value > type(uint96).max) {
            revert WrongBond(need, msg.value);
        }
        (asked.bond, asked.stake) = (uint96(msg.value), account.active + account.pending);
        asked.rate = uint64(rateOf(node));
    }

    /// @dev The answer's checkpoint and cell against the question.
    function _check(bytes32 group, address node, Challenge storage asked, bytes calldata answer, bool late) private {
        (uint64 height, bytes32 root, uint256 pos) = _certified(group, asked.epoch, Packed.start(answer));
        if (height < asked.height) {
            revert StaleHeight(height);
        }
        TreeEntry.Entry memory entry = TreeEntry.read(root, asked.path, pos);
        Packed.finish(answer, entry.next);
        emit Answered(group, node, height, entry.rowHash, late);
    }

    /// @dev height(8) ‖ stateRoot(32) ‖ detail(32) ‖ size(1) ‖ roster ‖ certificate at `pos`.
    function _certified(bytes32 group, uint64 epoch, uint256 pos) private view returns (uint64 height, bytes32 root, uint256 next) {
        (height, root) = (Packed.u64(pos), Packed.word(pos + 8));
        bytes32 structHash = PicoloHashes.hash(PicoloHashes.Checkpoint(group, epoch, height, root, Packed.word(pos + 40)));
        next = Certified.signed(CLUSTERS, group, epoch, Eip712.digest(Eip712.separator(address(VAULT)), structHash), pos + 72);
    }

    /// @dev Node of the member at place `index` of the roster whose size stands at `pos`.
    function _memberAt(uint256 pos, uint256 index) private view returns (address) {
        if (index >= Packed.u8(pos)) {
            revert NotMember(index);
        }
        return VAULT.nodeOfSigner(Packed.account(pos + 1 + index * 20));
    }

    /// @dev When the node's duty in this group epoch ended, or will end; the far future while nothing is known.
    function _endOf(bytes32 group, address node, uint64 epoch) private view returns (uint256 end) {
        (IClusterRegistry.Epoch memory record,) = CLUSTERS.membership(group, epoch);
        end = record.endedAt == 0 ? type(uint256).max : record.endedAt;
        uint256 left = CLUSTERS.mayCloseAt(CLUSTERS.noticeId(group, epoch, VAULT.holderOf(node)));
        if (left != 0 && left < end) {
            end = left;
        }
        uint256 failed = _failedAt[_failureOf(group, node, epoch)];
        if (failed != 0 && failed < end) {
            end = failed;
        }
    }

    /// @dev Takes what is due until `end`: nothing if that was within the reply window. Returns whether nothing more can come.
    function _drain(bytes32 group, address node, Challenge memory asked, uint256 end) private returns (bool) {
        if (end <= asked.openedAt + REPLY_WINDOW) {
            return false;
        }
        uint256 total = DrainMath.due(asked.stake, asked.rate, end - asked.openedAt);
        uint256 amount = total - asked.taken;
        if (amount != 0) {
            (, address consumer) = CLUSTERS.membership(group, asked.epoch);
            uint256 taken = VAULT.drain(
                IStakeVault.Penalty(
                    node, 0, SILENCE, IStakeVault.Status.Active, asked.challenger, REPORTER_BPS, consumer, CONSUMER_BPS, bytes32(0)
                ),
                amount
            );
            asked.taken = uint96(total);
            emit Drained(group, node, taken, total, end);
        }
        outageAt[node] = end;
        return asked.rate * (end - asked.openedAt) / 1 hours >= DrainMath.MAX_PART;
    }

    function _close(bytes32 group, address node, Challenge memory asked, uint256 coolDown) private {
        _clear(_challenges[placeOf(group, node)], coolDown);
        emit ChallengeClosed(group, node, asked.taken);
        _pay(address(0), asked.challenger, asked.bond);
    }

    /// @dev The other slots keep their stale contents: the next challenge pays less for writing over them.
    function _clear(Challenge storage asked, uint256 coolDown) private {
        asked.challenger = address(0);
        asked.coolUntil = coolDown == 0 ? 0 : uint40(block.timestamp + coolDown);
    }

    function _failureOf(bytes32 group, address node, uint64 epoch) private pure returns (bytes32) {
        return keccak256(abi.encode("picolo.failure", group, node, epoch));
    }
}
