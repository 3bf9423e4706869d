// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Eip712} from "./libraries/Eip712.sol";

/**
 * @title What the vault remembers of a node, and how others read it
 * @notice Everything that a slash reads and writes of a node is one word: amounts are kept in gwei, which is why
 * the vault takes and gives whole gwei only.
 * @dev Words are packed by hand: the compiler writes a struct field by field, at 200 gas and more for each.
 */
abstract contract VaultStakes is IStakeVault {
    using SafeCast for uint256;

    uint256 internal constant GWEI = 1e9;
    uint256 internal constant BPS = 10_000;
    /// @notice Lesser faults within this time of each other climb the ladder, in seconds.
    uint256 public constant LADDER_WINDOW = 30 days;

    /// @dev Word: active(64) ‖ pending(64) ‖ 0(16) ‖ unlockAt(40) ‖ lastFaultAt(40) ‖ faults(16) ‖ ladder(8) ‖ status(8). Gwei and seconds.
    struct Stake {
        uint256 active;
        uint256 pending;
        uint256 unlockAt;
        uint256 lastFaultAt;
        uint256 faults;
        uint256 ladder;
        Status status;
    }

    /// @dev One slot.
    struct Holder {
        address owner;
        uint40 joinedAt;
    }

    /// @dev Packed `Stake`.
    mapping(address node => uint256) private _stakes;
    /**
     * @dev One word with two meanings: account(160) ‖ gwei(64) ‖ since(32). In service `since` is zero: the signer and its lock.
     * Convicted of a grave fault: the hash of who gets what, the amount taken that is not shared yet, and when. A convicted
     * node signs and backs nothing any more, so the slash that ends its service need not pay for a new slot.
     */
    mapping(address node => uint256) internal _badges;
    mapping(address node => Holder) internal _owners;
    /// @dev Node of every signer after its first, kept for ever; the first one is the node's own address.
    mapping(address signer => address) internal _nodeOfLaterSigner;

    // ---- views

    /// @notice Stake, exit and status of `node`.
    function accountOf(address node) external view returns (Account memory) {
        Stake memory stake = _load(node);
        return Account(
            uint96(stake.active * GWEI), uint96(stake.pending * GWEI), uint40(stake.unlockAt), stake.status, uint16(stake.faults)
        );
    }

    /// @notice Current signer and locked stake of `node`; zeros when it was convicted of a grave fault.
    function keyOf(address node) external view returns (Key memory) {
        (uint256 account, uint256 amount, uint256 since) = _badgeOf(node);
        return since == 0 ? Key(address(uint160(account)), uint96(amount * GWEI)) : Key(address(0), 0);
    }

    /// @notice What the grave fault of `node` took and nobody has shared out yet; zeros before and after.
    function bountyOf(address node) public view returns (Bounty memory) {
        (uint256 claim, uint256 amount, uint256 since) = _badgeOf(node);
        return since != 0 && amount != 0 ? Bounty(uint160(claim), uint96(amount * GWEI), uint40(since)) : Bounty(0, 0, 0);
    }

    /// @notice Owner, entry time and fault record of `node`.
    function ownerOf(address node) external view returns (Owner memory) {
        Holder memory holder = _owners[node];
        Stake memory stake = _load(node);
        return Owner(holder.owner, holder.joinedAt, uint40(stake.lastFaultAt), uint16(stake.ladder));
    }

    /// @notice Owner of `node` alone: one slot, where `ownerOf` reads two.
    function holderOf(address node) external view returns (address) {
        return _owners[node].owner;
    }

    /// @notice Stake that `node` could ask to leave with, in wei.
    function freeOf(address node) external view returns (uint256) {
        return _free(node, _load(node));
    }

    /// @notice What a registry asks of a member: its signer (zero when convicted of a grave fault), its status, and whether its
    /// stake covers its lock.
    function standing(address node) external view returns (address signer, Status status, bool backed) {
        Stake memory stake = _load(node);
        (uint256 account, uint256 amount, uint256 since) = _badgeOf(node);
        if (since != 0) {
            return (address(0), stake.status, false);
        }
        return (address(uint160(account)), stake.status, stake.active >= amount);
    }

    /// @notice Node that signs, or ever signed, as `signer`; zero when there is none.
    function nodeOfSigner(address signer) public view returns (address) {
        (address node, uint256 word) = _stakeOfSigner(signer);
        return _statusIn(word) == Status.None ? address(0) : node;
    }

    /// @notice The same with its status; a node without status does not exist.
    function statusOfSigner(address signer) external view returns (address, Status) {
        (address node, uint256 word) = _stakeOfSigner(signer);
        return (node, _statusIn(word));
    }

    /// @notice The same with the time of its last lesser fault (zero without one) and its step on the ladder.
    function recordOfSigner(address signer) external view returns (address, Status, uint256 lastFaultAt, uint256 ladder) {
        (address node, uint256 word) = _stakeOfSigner(signer);
        (lastFaultAt, ladder) = _recordIn(word);
        return (node, _statusIn(word), lastFaultAt, ladder);
    }

    /// @notice Separator of the domain of everything nodes and clients sign.
    function domainSeparator() external view returns (bytes32) {
        return Eip712.separator(address(this));
    }

    // ---- words

    function _load(address node) internal view returns (Stake memory) {
        uint256 word = _stakes[node];
        return Stake(
            word >> 192, uint64(word >> 128), uint40(word >> 72), uint40(word >> 32), uint16(word >> 16), uint8(word >> 8), _statusIn(word)
        );
    }

    /// @dev Requirements: each field fits its width; amounts are parts of the supply, below 2^61 gwei.
    function _store(address node, Stake memory stake) internal {
        _stakes[node] = stake.active << 192 | stake.pending << 128 | stake.unlockAt << 72 | stake.lastFaultAt << 32
            | stake.faults << 16 | stake.ladder << 8 | uint256(stake.status);
    }

    function _read(address node) internal view returns (uint256 word) {
        return _stakes[node];
    }

    function _write(address node, uint256 word) internal {
        _stakes[node] = word;
    }

    function _statusIn(uint256 word) internal pure returns (Status) {
        return Status(uint8(word));
    }

    function _recordIn(uint256 word) internal pure returns (uint256 lastFaultAt, uint256 ladder) {
        return (uint40(word >> 32), uint8(word >> 8));
    }

    function _withStatus(uint256 word, Status status) internal pure returns (uint256) {
        return word >> 8 << 8 | uint256(status);
    }

    /// @dev The word after a fault, and what it takes in gwei: the part rounded up.
    function _taken(uint256 word, uint256 bps) internal pure returns (uint256, uint256 units) {
        unchecked {
            // gwei of the supply are below 2^61
            uint256 all = (word >> 192) + uint64(word >> 128);
            (word, units) = _reduced(word, (all * bps + BPS - 1) / BPS);
            if (uint16(word >> 16) != type(uint16).max) {
                word += 1 << 16; // faults
            }
            return (word, units);
        }
    }

    /// @dev The word without `wanted` gwei, or without all there is: active stake first.
    function _reduced(uint256 word, uint256 wanted) internal pure returns (uint256, uint256 units) {
        unchecked {
            // what is subtracted from a field is clamped to it
            (uint256 active, uint256 pending) = (word >> 192, uint64(word >> 128));
            units = _min(wanted, active + pending);
            uint256 fromActive = _min(units, active);
            return (word - (fromActive << 192 | (units - fromActive) << 128), units);
        }
    }

    /// @dev The word after a lesser fault: one step up when the last one was within LADDER_WINDOW, else on the first step.
    function _climbed(uint256 word) internal view returns (uint256) {
        unchecked {
            (uint256 lastFaultAt, uint256 ladder) = _recordIn(word);
            bool recent = lastFaultAt != 0 && block.timestamp <= lastFaultAt + LADDER_WINDOW;
            ladder = recent ? _min(ladder + 1, type(uint8).max) : 1;
            word ^= (lastFaultAt ^ block.timestamp) << 32;
            return word & ~uint256(0xff00) | ladder << 8;
        }
    }

    function _min(uint256 a, uint256 b) internal pure returns (uint256) {
        return a < b ? a : b;
    }

    function _badgeOf(address node) internal view returns (uint256 account, uint256 amount, uint256 since) {
        uint256 word = _badges[node];
        return (word >> 96, uint64(word >> 32), uint32(word));
    }

    /// @dev A first signer is its node's own address, so the usual case is one read.
    function _stakeOfSigner(address signer) internal view returns (address node, uint256 word) {
        node = signer;
        word = _stakes[signer];
        if (_statusIn(word) == Status.None) {
            address later = _nodeOfLaterSigner[signer];
            if (later != address(0)) {
                (node, word) = (later, _stakes[later]);
            }
        }
    }

    function _free(address node, Stake memory stake) internal view returns (uint256) {
        (, uint256 locked,) = _badgeOf(node);
        if (stake.status != Status.Active) {
            locked = 0;
        }
        return stake.active > locked ? (stake.active - locked) * GWEI : 0;
    }

    /// @dev Requirements: a whole number of gwei, not zero.
    function _gwei(uint256 amount) internal pure returns (uint256) {
        if (amount == 0) {
            revert ZeroAmount();
        }
        if (amount % GWEI != 0) {
            revert NotWholeGwei(amount);
        }
        return (amount / GWEI).toUint64();
    }
}
