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

    /// @dev `pending` stays slashable until it is withdrawn. In wei, multiples of a gwei.
    struct Account {
        uint96 active;
        uint96 pending;
        uint40 unlockAt;
        Status status;
        uint16 faults;
    }

    /// @dev `locked` is the part of `active` that backs offered capacity. A convicted node has neither.
    struct Key {
        address signer;
        uint96 locked;
    }

    /// @dev `ladder` counts lesser faults that followed each other within the ladder window.
    struct Owner {
        address owner;
        uint40 joinedAt;
        uint40 lastFaultAt;
        uint16 ladder;
    }

    /// @dev One word. A reward that can be claimed from `vestAt` on.
    struct Credit {
        uint96 amount;
        uint40 vestAt;
    }

    /// @dev What the first grave fault of a node took, until it is shared out. `claim` is a hash of who gets what
    /// (`Parts`), `since` the time of the slash.
    struct Bounty {
        uint160 claim;
        uint96 amount;
        uint40 since;
    }

    /// @dev Who gets what of a slash, as the event `Slashed` says; the rest burns.
    struct Parts {
        address reporter;
        uint256 reward;
        bytes32 group;
        address consumer;
        uint256 share;
    }

    /// @dev One word. What the lesser faults of one group's members left for its owner, and what of it burns.
    struct Pot {
        uint96 share;
        uint96 burn;
        uint40 vestAt;
    }

    /// @dev What a slasher asks for. A share whose recipient is zero is burned. With a group, the consumer is the group's
    /// owner, who is looked up when the pot is settled, not in the slash.
    struct Penalty {
        address node;
        uint16 bps; // of active and pending stake, rounded up
        uint8 kind; // offence number, for the event
        Status status; // Active: climb the ladder; Tombstoned or Void: set the status
        address reporter;
        uint16 reporterBps; // of the amount taken, rounded down
        address consumer;
        uint16 consumerBps; // of the amount taken, rounded down
        bytes32 group; // zero: `consumer` is paid and the rest burns without a pot
    }

    event Registered(address indexed node, address indexed owner, address signer);
    event SignerRotated(address indexed node, address indexed signer, address previous);
    event Deposited(address indexed node, address indexed from, uint256 amount);
    event UnbondRequested(address indexed node, uint256 amount, uint256 unlockAt);
    event UnbondCancelled(address indexed node, uint256 amount);
    event Withdrawn(address indexed node, address indexed owner, uint256 amount);
    event Locked(address indexed node, uint256 amount);
    /// @dev `status` is the node's after it; `group` zero when the fault belongs to none.
    event Slashed(
        address indexed node, uint8 kind, uint256 amount, uint256 reward, address indexed beneficiary, uint256 consumerShare,
        bytes32 indexed group, Status status
    );
    event BountyMoved(address indexed node, address indexed from, address indexed to);
    event BountyShared(address indexed node, address indexed reporter, uint256 reward, address indexed consumer, uint256 share, uint256 burned);
    event PotSettled(bytes32 indexed group, address indexed consumer, uint256 share, uint256 burned);
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
    error AlreadyPunished(address node);
    error Absolved(uint256 until);
    error FutureAnswer(uint256 issuedAt);
    error ZeroAmount();
    error NotWholeGwei(uint256 amount);
    error ZeroAddress();
    error SignerTaken(address signer);
    error BadPossession(address signer);
    error TooLate(uint256 since);
    error WrongClaim(address node);
    error TooSoon(uint256 readyAt);
    error UnknownSlasher(address slasher);

    function convict(address signer, bytes32 group, uint8 kind, bool everything, address reporter) external;
    function fine(address signer, uint8 kind, uint256 issuedAt, address querier, bytes32 group) external;
    function slash(Penalty calldata penalty) external returns (uint256 taken);
    function drain(Penalty calldata penalty, uint256 amount) external returns (uint256 taken);
    function moveBounty(address node, Parts calldata parts, address reporter) external;
    function setLock(address node, uint256 amount) external;

    function isSlasher(address slasher) external view returns (bool);
    function nodeOfSigner(address signer) external view returns (address);
    function accountOf(address node) external view returns (Account memory);
    function keyOf(address node) external view returns (Key memory);
    function ownerOf(address node) external view returns (Owner memory);
    function holderOf(address node) external view returns (address);
    function statusOfSigner(address signer) external view returns (address node, Status status);
    function recordOfSigner(address signer) external view returns (address node, Status status, uint256 lastFaultAt, uint256 ladder);
    function bountyOf(address node) external view returns (Bounty memory);
    function standing(address node) external view returns (address signer, Status status, bool backed);

    function CONTEST_TIME() external view returns (uint256);
    function LADDER_WINDOW() external view returns (uint256);
    function DISPUTE_TIME() external view returns (uint256);
    function EVIDENCE_WINDOW() external view returns (uint256);
    function UNBONDING() external view returns (uint256);
}
