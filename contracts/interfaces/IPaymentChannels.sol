// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title What other contracts need of payment channels
interface IPaymentChannels {
    /// @dev Names a channel. `token` zero is ether; `signer` is a plain key that signs vouchers for the payer.
    struct Key {
        address payer;
        address payee;
        address token;
        address signer;
        bytes32 salt;
    }

    /// @dev One slot. `claimed` since the beginning, `deposit` without what went back; `closeAt` zero without a notice.
    struct Channel {
        uint112 deposit;
        uint112 claimed;
        uint32 closeAt;
    }

    /// @dev One voucher of `collectMany`, with a compact signature.
    struct Claim {
        address payer;
        address signer;
        bytes32 salt;
        uint128 cumulative;
        bytes32 r;
        bytes32 yParityAndS;
    }

    event ChannelOpened(
        bytes32 indexed channel, address indexed payer, address indexed payee, address token, address signer, bytes32 salt, uint256 amount
    );
    event ToppedUp(bytes32 indexed channel, uint256 amount);
    event Collected(bytes32 indexed channel, uint256 cumulative, uint256 paid);
    event CloseRequested(bytes32 indexed channel, uint256 closeAt);
    event CloseCancelled(bytes32 indexed channel);
    event ChannelWithdrawn(bytes32 indexed channel, uint256 amount);

    error BadVoucher(bytes32 channel);
    error StaleVoucher(bytes32 channel, uint256 claimed);
    error NotClosable(uint256 until);
    error NotPayer(address caller);
    error BatchTooLong(uint256 length);
    error TooMuch();
    error ZeroAddress();

    function collect(Key calldata key, uint128 cumulative, bytes calldata signature) external returns (uint256 paid);
    function channelId(Key calldata key) external view returns (bytes32);
    function channelOf(bytes32 channel) external view returns (Channel memory);
}
