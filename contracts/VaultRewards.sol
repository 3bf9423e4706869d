// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {PintToken} from "./PintToken.sol";
import {VaultModules} from "./VaultModules.sol";
import {VaultStakes} from "./VaultStakes.sol";

/**
 * @title Where slashed stake goes
 * @notice A part vests for the reporter and the consumer for as long as unbonding takes, so a slash is never a quicker
 * way out; the rest burns. A slash writes as little as it can. What a grave fault took waits in the node's own word until
 * somebody shares it out; what lesser faults left for a group waits in the group's pot until somebody settles it.
 */
abstract contract VaultRewards is VaultModules, VaultStakes {
    using SafeERC20 for IERC20;

    /// @notice How long after a grave slash an earlier commitment to the same evidence still takes the reward, in seconds.
    uint256 public constant CONTEST_TIME = 10 minutes;

    /// @notice The staked token.
    PintToken public immutable PINT;
    /// @notice The one contract that may lock stake behind offered capacity.
    address public immutable REGISTRY;
    /// @notice Slashed PINT of lesser faults outside groups that waits to be burned, in wei.
    uint256 public burnPot;

    /// @dev amount(96) ‖ vestAt(40).
    mapping(address account => uint256) private _credits;
    /// @dev share(96) ‖ burn(96) ‖ vestAt(40).
    mapping(bytes32 group => uint256) private _pots;

    constructor(PintToken pint, address registry) {
        if (address(pint) == address(0) || registry == address(0)) {
            revert ZeroAddress();
        }
        (PINT, REGISTRY) = (pint, registry);
    }

    /// @notice Reward of an account in wei, and when it can be claimed.
    function creditOf(address account) public view returns (uint96 amount, uint40 vestAt) {
        uint256 word = _credits[account];
        return (uint96(word >> 40), uint40(word));
    }

    /// @notice What waits for the owner of a group and for the fire, in wei, and when the owner's part vests.
    function potOf(bytes32 group) public view returns (Pot memory) {
        uint256 word = _pots[group];
        return Pot(uint96(word >> 136), uint96(word >> 40), uint40(word));
    }

    /**
     * @notice Pays the reward of `account` to it.
     * Requirements: it has one and its date has come.
     */
    function claimCredit(address account) external {
        (uint256 amount, uint256 vestAt) = creditOf(account);
        if (amount == 0) {
            revert ZeroAmount();
        }
        if (block.timestamp < vestAt) {
            revert StillLocked(vestAt);
        }
        delete _credits[account];
        emit CreditClaimed(account, amount);
        IERC20(address(PINT)).safeTransfer(account, amount);
    }

    /// @notice Burns what lesser faults outside groups set aside. Anybody may. Requirements: there is something.
    function sweep() external {
        uint256 amount = burnPot;
        if (amount == 0) {
            revert ZeroAmount();
        }
        burnPot = 0;
        _burn(amount);
    }

    /**
     * @notice Shares what lesser faults of a group's members left: the owner's part joins its credit, the rest burns. Anybody may.
     * Requirements: there is something. A group that the registry does not know has no owner: everything burns.
     */
    function settle(bytes32 group) external {
        Pot memory pot = potOf(group);
        if (pot.share == 0 && pot.burn == 0) {
            revert ZeroAmount();
        }
        _pots[group] = pot.vestAt; // the word stays in use: the next slash need not pay for a new one
        address consumer = _consumerOf(group);
        uint256 share = consumer == address(0) ? 0 : pot.share;
        uint256 burned = uint256(pot.burn) + pot.share - share;
        _join(consumer, share, pot.vestAt);
        emit PotSettled(group, consumer, share, burned);
        _burn(burned);
    }

    /**
     * @notice Shares what a grave fault took: reporter's and consumer's parts join their credits and vest from the slash
     * on, the rest burns. Anybody may.
     * Requirements: there is something; `parts` are those of the slash, or of the last move; CONTEST_TIME is over.
     * @dev At least half burns whatever `parts` say: a claim is 160 bits of a hash, and should not be worth a collision.
     */
    function shareOut(address node, Parts calldata parts) external {
        Bounty memory bounty = _mustClaim(node, parts);
        if (block.timestamp <= bounty.since + CONTEST_TIME) {
            revert StillLocked(bounty.since + CONTEST_TIME + 1);
        }
        _badges[node] = bounty.since;
        address consumer = parts.group == 0 ? parts.consumer : _consumerOf(parts.group);
        uint256 consumerShare = consumer == address(0) ? 0 : parts.share;
        if (parts.reward + consumerShare > bounty.amount / 2) {
            revert WrongClaim(node);
        }
        uint256 vestAt = bounty.since + UNBONDING;
        _join(parts.reporter, parts.reward, vestAt);
        _join(consumer, consumerShare, vestAt);
        uint256 burned = bounty.amount - parts.reward - consumerShare;
        emit BountyShared(node, parts.reporter, parts.reward, consumer, consumerShare, burned);
        _burn(burned);
    }

    /**
     * @notice Gives the reporter's part of a grave fault to somebody who committed to the evidence before it was used.
     * Requirements: the caller is an active slasher, which checks the commitment; `parts` are those of the slash, or of
     * the last move; within CONTEST_TIME.
     */
    function moveBounty(address node, Parts calldata parts, address reporter) external {
        _mustBeSlasher();
        Bounty memory bounty = _mustClaim(node, parts);
        if (block.timestamp > bounty.since + CONTEST_TIME) {
            revert TooLate(bounty.since);
        }
        Parts memory moved = parts;
        moved.reporter = reporter;
        _pinBounty(node, moved, bounty.amount / GWEI, bounty.since);
        emit BountyMoved(node, parts.reporter, reporter);
    }

    function _mustClaim(address node, Parts calldata parts) private view returns (Bounty memory bounty) {
        bounty = bountyOf(node);
        if (bounty.since == 0 || bounty.claim != _claimOf(parts)) {
            revert WrongClaim(node);
        }
    }

    function _claimOf(Parts memory parts) private pure returns (uint160 claim) {
        assembly ("memory-safe") {
            claim := shr(96, keccak256(parts, 0xa0)) // five words in memory, one after the other
        }
    }

    /// @dev `units` gwei were taken at `since`; the node's badge, which it has lost, says how they will be shared.
    function _pinBounty(address node, Parts memory parts, uint256 units, uint256 since) internal {
        _badges[node] = uint256(_claimOf(parts)) << 96 | units << 32 | since;
    }

    /// @dev Owner of the group, zero when there is no such group.
    function _consumerOf(bytes32 group) private view returns (address) {
        return IClusterRegistry(INodeRegistry(REGISTRY).CLUSTERS()).groupOf(group).owner;
    }

    /// @dev One write instead of a look-up and two.
    function _fill(bytes32 group, uint256 part, uint256 burn) internal {
        uint256 word = _pots[group];
        unchecked {
            // parts of the supply, below 2^90
            uint256 waiting = word >> 136;
            uint256 vestAt = _vestAt(waiting, uint40(word), part, block.timestamp + UNBONDING);
            _pots[group] = (waiting + part) << 136 | (uint96(word >> 40) + burn) << 40 | vestAt;
        }
    }

    function _burnLater(uint256 amount) internal {
        burnPot += amount;
    }

    /// @dev A reward that vests from now on.
    function _credit(address account, uint256 amount) internal {
        _join(account, amount, block.timestamp + UNBONDING);
    }

    function _join(address account, uint256 amount, uint256 vestAt) private {
        if (amount == 0) {
            return;
        }
        uint256 word = _credits[account];
        unchecked {
            // parts of the supply, below 2^90
            uint256 waiting = word >> 40;
            _credits[account] = (waiting + amount) << 40 | _vestAt(waiting, uint40(word), amount, vestAt);
        }
    }

    function _burn(uint256 amount) private {
        if (amount != 0) {
            emit Burned(amount);
            PINT.burn(amount);
        }
    }

    /**
     * @dev When two rewards that become one vest: the average weighted by amount, rounded up. A speck cannot delay
     * somebody's reward, and an early small reward cannot carry a large one out early.
     */
    function _vestAt(uint256 amount, uint256 vestAt, uint256 more, uint256 moreAt) private view returns (uint256) {
        if (amount == 0) {
            return moreAt;
        }
        unchecked {
            // amounts below 2^90, times below 2^41
            uint256 old = vestAt < block.timestamp ? block.timestamp : vestAt;
            uint256 next = moreAt < block.timestamp ? block.timestamp : moreAt;
            return (amount * old + more * next + amount + more - 1) / (amount + more);
        }
    }
}
