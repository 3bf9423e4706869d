// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Types, events and errors of the availability court
interface IAvailabilityCourt {
    /**
     * @dev Four slots. `challenger` zero: nothing is open, and all but `coolUntil` is what the last challenge left. `path` was asked
     * under a certified checkpoint of `epoch` at `height`; `stake`, `taken` in wei; `rate` in 1e-18 of the stake per hour.
     */
    struct Challenge {
        address challenger;
        uint40 openedAt;
        uint40 coolUntil;
        uint64 epoch;
        uint64 height;
        uint96 bond;
        uint96 stake;
        uint96 taken;
        uint64 rate;
        bytes32 path;
    }

    event ChallengeOpened(
        bytes32 indexed group, address indexed node, address indexed challenger, uint64 epoch, uint64 height, bytes32 path,
        uint256 answerBy, uint256 bond, uint256 rate
    );
    /// @dev In time: the bond goes to the node's owner and the challenge is over. Late: `ChallengeClosed` follows.
    event Answered(bytes32 indexed group, address indexed node, uint64 height, bytes32 rowHash, bool late);
    event Drained(bytes32 indexed group, address indexed node, uint256 amount, uint256 total, uint256 until);
    event ChallengeClosed(bytes32 indexed group, address indexed node, uint256 total);
    event HardwareFailed(bytes32 indexed group, address indexed node, uint64 epoch);

    error ChallengePending(address challenger);
    error CoolDown(uint256 until);
    error WrongBond(uint256 need, uint256 given);
    error NodeNotActive(address node);
    error LeftOrderly(uint256 since);
    error NoChallenge();
    error TooEarly(uint256 until);
    error NotOwner(address node, address caller);
    error NotMember(uint256 index);
    error StaleHeight(uint256 height);
    error NotLeaving(address node);
    error FailedRecently(uint256 until);
}
