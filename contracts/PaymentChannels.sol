// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {IPaymentChannels} from "./interfaces/IPaymentChannels.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Payouts} from "./libraries/Payouts.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {SignatureLib} from "./libraries/SignatureLib.sol";

/**
 * @title Payment by cumulative vouchers, in ether and any ERC-20
 * @notice A channel is named by who pays, who is paid, in what, whose key signs vouchers, and a salt. A voucher says
 * how much was earned in total; the latest one can be collected at any time by anybody, always to the payee.
 * The payer gets the rest back after a notice long enough to collect the last voucher.
 *
 * @dev Deposits are credited by the difference of balances (`Payouts`). `claimed` never falls, so
 * no voucher can be used twice, not even in a channel that was emptied and filled again.
 * Invariants: claimed <= deposit; sum(deposit - claimed) and owed credit <= balance, of ether and of each token whose balances
 * change by transfers alone.
 */
contract PaymentChannels is IPaymentChannels, Payouts {
    /// @notice From a request to close until the payer can withdraw, in seconds.
    uint256 public constant GRACE = 2 days;
    /// @notice Most vouchers in one `collectMany`.
    uint256 public constant MAX_BATCH = 50;

    /// @notice The vault, whose address is the signature domain.
    address public immutable VAULT;

    mapping(bytes32 channel => Channel) private _channels;

    /// @param vault the stake vault
    constructor(address vault) {
        VAULT = vault;
    }

    // ---- payer

    /**
     * @notice Funds a channel, new or existing. Anybody may.
     * Effects: its deposit grows by what arrived; a running notice is not touched.
     * Requirements: ether channels get exactly `amount` with the call, token channels none and an approval.
     */
    function fund(Key calldata key, uint256 amount) external payable nonReentrant returns (bytes32 channel) {
        return _fund(key, amount);
    }

    /// @notice `fund` for ERC-20 with a permit of the caller; a permit that was used already is no obstacle.
    function fundWithPermit(Key calldata key, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
        returns (bytes32 channel)
    {
        try IERC20Permit(key.token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        return _fund(key, amount);
    }

    /**
     * @notice Starts the notice after which the payer can withdraw.
     * Requirements: the caller is the payer; no notice is running.
     */
    function requestClose(Key calldata key) external {
        bytes32 id = _payersChannel(key);
        Channel storage channel = _channels[id];
        if (channel.closeAt != 0) {
            revert NotClosable(channel.closeAt);
        }
        channel.closeAt = uint32(block.timestamp + GRACE);
        emit CloseRequested(id, channel.closeAt);
    }

    /// @notice Withdraws the notice. Requirements: the caller is the payer.
    function cancelClose(Key calldata key) external {
        bytes32 id = _payersChannel(key);
        _channels[id].closeAt = 0;
        emit CloseCancelled(id);
    }

    /**
     * @notice Pays the rest back to the payer. The channel can be funded again; its vouchers keep counting.
     * Requirements: the caller is the payer; the notice has run out; there is a rest.
     */
    function withdraw(Key calldata key) external nonReentrant returns (uint256 amount) {
        bytes32 id = _payersChannel(key);
        Channel memory channel = _channels[id];
        if (channel.closeAt == 0 || block.timestamp < channel.closeAt) {
            revert NotClosable(channel.closeAt);
        }
        amount = channel.deposit - channel.claimed;
        if (amount == 0) {
            revert ZeroAmount();
        }
        _channels[id] = Channel(channel.claimed, channel.claimed, 0);
        emit ChannelWithdrawn(id, amount);
        _pay(key.token, key.payer, amount);
    }

    // ---- payee

    /**
     * @notice Pays a voucher to the payee. Anybody may.
     * Effects: `claimed` rises to the smaller of voucher and deposit.
     * Requirements: the signer of the channel signed Voucher(channel, cumulative); it is worth more than was claimed.
     * @return paid wei
     */
    function collect(Key calldata key, uint128 cumulative, bytes calldata signature) external nonReentrant returns (uint256 paid) {
        bytes32 id = channelId(key);
        bytes32 digest = _voucherDigest(Eip712.separator(VAULT), id, cumulative);
        if (!_signedBy(SignatureLib.recover(digest, signature), key.signer)) {
            revert BadVoucher(id);
        }
        paid = _claim(id, cumulative);
        _pay(key.token, key.payee, paid);
    }

    /**
     * @notice Pays vouchers of many channels of one payee and token with one transfer.
     * Requirements: as `collect` for each; at most MAX_BATCH.
     * @return paid wei
     */
    function collectMany(address payee, address token, Claim[] calldata claims) external nonReentrant returns (uint256 paid) {
        if (claims.length > MAX_BATCH) {
            revert BatchTooLong(claims.length);
        }
        bytes32 domain = Eip712.separator(VAULT);
        for (uint256 i = 0; i < claims.length; ++i) {
            Claim calldata claim = claims[i];
            bytes32 id = _channelId(claim.payer, payee, token, claim.signer, claim.salt);
            bytes32 digest = _voucherDigest(domain, id, claim.cumulative);
            if (!_signedBy(SignatureLib.recoverCompact(digest, claim.r, claim.yParityAndS), claim.signer)) {
                revert BadVoucher(id);
            }
            paid += _claim(id, claim.cumulative);
        }
        _pay(token, payee, paid);
    }

    // ---- views

    /// @notice Name of the channel with this key; includes contract and chain, so vouchers are worthless elsewhere.
    function channelId(Key calldata key) public view returns (bytes32) {
        return _channelId(key.payer, key.payee, key.token, key.signer, key.salt);
    }

    /// @notice Total deposited and claimed in wei, and when a notice runs out (zero without one).
    function channelOf(bytes32 channel) external view returns (Channel memory) {
        return _channels[channel];
    }

    // ---- inside

    function _fund(Key calldata key, uint256 amount) private returns (bytes32 id) {
        if (key.payer == address(0) || key.payee == address(0) || key.signer == address(0)) {
            revert ZeroAddress();
        }
        id = channelId(key);
        uint256 received = _receive(key.token, amount);
        if (received == 0) {
            revert ZeroAmount();
        }
        Channel memory channel = _channels[id];
        if (received > type(uint112).max - channel.deposit) {
            revert TooMuch();
        }
        bool fresh = channel.deposit == 0;
        channel.deposit += uint112(received);
        _channels[id] = channel;
        if (fresh) {
            emit ChannelOpened(id, key.payer, key.payee, key.token, key.signer, key.salt, received);
        } else {
            emit ToppedUp(id, received);
        }
    }

    function _claim(bytes32 id, uint128 cumulative) private returns (uint256 paid) {
        Channel memory channel = _channels[id];
        uint256 until = cumulative < channel.deposit ? cumulative : channel.deposit;
        if (until <= channel.claimed) {
            revert StaleVoucher(id, channel.claimed);
        }
        paid = until - channel.claimed;
        channel.claimed = uint112(until);
        _channels[id] = channel;
        emit Collected(id, cumulative, paid);
    }

    function _payersChannel(Key calldata key) private view returns (bytes32) {
        if (msg.sender != key.payer) {
            revert NotPayer(msg.sender);
        }
        return channelId(key);
    }

    function _channelId(address payer, address payee, address token, address signer, bytes32 salt) private view returns (bytes32) {
        return keccak256(abi.encode("picolo.channel", block.chainid, address(this), payer, payee, token, signer, salt));
    }

    function _voucherDigest(bytes32 domain, bytes32 id, uint128 cumulative) private pure returns (bytes32) {
        return Eip712.digest(domain, PicoloHashes.hash(PicoloHashes.Voucher(id, cumulative)));
    }

    function _signedBy(address recovered, address signer) private pure returns (bool) {
        return recovered != address(0) && recovered == signer;
    }
}
