// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title What other contracts need of the stake vault
 * @notice Types, events and errors of `StakeVault`, and the calls that registries and slashers make.
 */
interface IStakeVault {
    /// @dev None: never registered. Active: may deposit and serve. Tombstoned: convicted of a grave offence.
    /// Void: everything was taken because too many of its group were convicted together.
    enum Status { None, Active, Tombstoned, Void }

    /// @dev One slot. `pending` stays slashable until it is withdrawn.
    struct Account {
        uint96 active;
        uint96 pending;
        uint40 unlockAt;
        Status status;
        uint16 faults;
    }

    /// @dev One slot. `locked` is the part of `active` that backs offered capacity.
    struct Key {
        address signer;
        uint96 locked;
    }

    /// @dev One slot. `ladder` counts lesser faults that followed each other within the ladder window.
    struct Owner {
        address owner;
        uint40 joinedAt;
        uint40 lastFaultAt;
        uint16 ladder;
    }

    /// @dev One slot. A reward that can be claimed from `vestAt` on.
    struct Credit {
        uint96 amount;
        uint40 vestAt;
    }

    /// @dev What a slasher asks for. A share whose recipient is zero is burned.
    struct Penalty {
        address node;
        uint16 bps; // of active and pending stake, rounded up
        uint8 kind; // offence number, for the event
        Status status; // Active: climb the ladder; Tombstoned or Void: set the status
        address reporter;
        uint16 reporterBps; // of the amount taken, rounded down
        address consumer;
        uint16 consumerBps; // of the amount taken, rounded down
    }

    event Registered(address indexed node, address indexed owner, address signer);
    event SignerRotated(address indexed node, address indexed signer, address previous);
    event Deposited(address indexed node, address indexed from, uint256 amount);
    event UnbondRequested(address indexed node, uint256 amount, uint256 unlockAt);
    event UnbondCancelled(address indexed node, uint256 amount);
    event Withdrawn(address indexed node, address indexed owner, uint256 amount);
    event Locked(address indexed node, uint256 amount);
    event Slashed(address indexed node, uint8 indexed kind, uint256 amount, uint256 reward, address indexed beneficiary, uint256 consumerShare);
    event Tombstone(address indexed node, Status status);
    event CreditClaimed(address indexed account, uint256 amount);
    event Burned(uint256 amount);
    event SlasherProposed(address indexed slasher, uint256 readyAt);
    event SlasherActivated(address indexed slasher);
    event SlasherRemoved(address indexed slasher);
    event AdminProposed(address indexed admin);
    event AdminChanged(address indexed admin);

    error ParameterOutOfBounds(bytes32 rule);
    error NotSlasher(address caller);
    error NotRegistry(address caller);
    error NotAdmin(address caller);
    error NotOwner(address node, address caller);
    error Insufficient(uint256 have, uint256 want);
    error StakeTooLow(uint256 need);
    error StillLocked(uint256 until);
    error NotActive(address node, Status status);
    error ZeroAmount();
    error ZeroAddress();
    error SignerTaken(address signer);
    error BadPossession(address signer);
    error TooSoon(uint256 readyAt);
    error UnknownSlasher(address slasher);

    function slash(Penalty calldata penalty) external returns (uint256 taken);
    function drain(Penalty calldata penalty, uint256 amount) external returns (uint256 taken);
    function setLock(address node, uint256 amount) external;

    function isSlasher(address slasher) external view returns (bool);
    function nodeOfSigner(address signer) external view returns (address);
    function accountOf(address node) external view returns (Account memory);
    function keyOf(address node) external view returns (Key memory);
    function ownerOf(address node) external view returns (Owner memory);
    function statusOfSigner(address signer) external view returns (address node, Status status);
    function recordOfSigner(address signer) external view returns (address node, Status status, uint256 lastFaultAt, uint256 ladder);
    function standing(address node) external view returns (address signer, Status status, bool backed);

    function LADDER_WINDOW() external view returns (uint256);
    function EVIDENCE_WINDOW() external view returns (uint256);
    function UNBONDING() external view returns (uint256);
}
