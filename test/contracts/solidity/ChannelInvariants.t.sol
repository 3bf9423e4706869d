// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPaymentChannels} from "../../../contracts/interfaces/IPaymentChannels.sol";
import {PaymentChannels} from "../../../contracts/PaymentChannels.sol";
import {PintToken} from "../../../contracts/PintToken.sol";
import {PicoloHashes} from "../../../contracts/libraries/PicoloHashes.sol";
import {Base} from "./Base.sol";

/// @title Six channels in ether and tokens, their payer, their payees and a clock
contract ChannelHandler is Base {
    uint256 public constant CHANNELS = 6;
    uint256 private constant SIGNER = 0x51617;

    IPaymentChannels.Key[] private _keys;
    bytes32[] public ids;
    // ghosts, per channel
    mapping(uint256 => uint256) public funded;
    mapping(uint256 => uint256) public paid;
    mapping(uint256 => uint256) public returned;
    mapping(uint256 => uint256) public promised; // highest voucher that was collected
    mapping(uint256 => uint256) public noticeAt;
    bool public earlyWithdrawal;
    bool public overpaid;
    bool public stolen;

    constructor() payable {
        deployAll();
        pint.approve(address(channels), type(uint256).max);
        for (uint256 i = 0; i < CHANNELS; ++i) {
            address payee = address(uint160(0xFEE0 + i / 2));
            _keys.push(IPaymentChannels.Key(address(this), payee, i % 2 == 0 ? address(0) : address(pint), vm.addr(SIGNER), bytes32(i)));
            ids.push(channels.channelId(_keys[i]));
        }
    }

    receive() external payable {}

    function parts() external view returns (PaymentChannels, PintToken) {
        return (channels, pint);
    }

    function isEther(uint256 i) external view returns (bool) {
        return _keys[i].token == address(0);
    }

    function fund(uint256 which, uint256 amount) external {
        uint256 i = which % CHANNELS;
        amount = bound(amount, 1, 1e20);
        vm.deal(address(this), 1e21);
        channels.fund{value: i % 2 == 0 ? amount : 0}(_keys[i], amount);
        funded[i] += amount;
    }

    function collect(uint256 which, uint256 cumulative) external {
        uint256 i = which % CHANNELS;
        uint128 amount = uint128(bound(cumulative, 0, 3e20));
        bytes memory voucher = signed(SIGNER, PicoloHashes.hash(PicoloHashes.Voucher(ids[i], amount)));
        uint256 got = channels.collect(_keys[i], amount, voucher);
        paid[i] += got;
        promised[i] = amount > promised[i] ? amount : promised[i];
        if (paid[i] > promised[i]) {
            overpaid = true;
        }
    }

    function collectMany(uint256 pair, uint256 first, uint256 second) external {
        uint256 i = (pair % 3) * 2 + 1;
        IPaymentChannels.Claim[] memory claims = new IPaymentChannels.Claim[](2);
        (claims[0], claims[1]) = (claim(i, uint128(bound(first, 0, 3e20))), claim(i, uint128(bound(second, 0, 3e20))));
        paid[i] += channels.collectMany(_keys[i].payee, _keys[i].token, claims);
        uint256 most = claims[1].cumulative; // the second pays only when it is higher
        promised[i] = most > promised[i] ? most : promised[i];
        if (paid[i] > promised[i]) {
            overpaid = true;
        }
    }

    function claim(uint256 i, uint128 amount) private view returns (IPaymentChannels.Claim memory) {
        (bytes32 r, bytes32 vs) = compact(SIGNER, PicoloHashes.hash(PicoloHashes.Voucher(ids[i], amount)));
        return IPaymentChannels.Claim(address(this), vm.addr(SIGNER), bytes32(i), amount, r, vs);
    }

    function crossVoucher(uint256 which, uint256 other, uint256 cumulative) external {
        (uint256 i, uint256 j) = (which % CHANNELS, other % CHANNELS);
        if (i == j) {
            return;
        }
        uint128 amount = uint128(bound(cumulative, 1, 3e20));
        bytes memory voucher = signed(SIGNER, PicoloHashes.hash(PicoloHashes.Voucher(ids[j], amount)));
        channels.collect(_keys[i], amount, voucher);
        stolen = true;
    }

    function requestClose(uint256 which) external {
        uint256 i = which % CHANNELS;
        channels.requestClose(_keys[i]);
        noticeAt[i] = block.timestamp;
    }

    function cancelClose(uint256 which) external {
        channels.cancelClose(_keys[which % CHANNELS]);
        noticeAt[which % CHANNELS] = type(uint256).max / 2;
    }

    function withdraw(uint256 which) external {
        uint256 i = which % CHANNELS;
        returned[i] += channels.withdraw(_keys[i]);
        if (block.timestamp < noticeAt[i] + channels.GRACE()) {
            earlyWithdrawal = true;
        }
    }

    function strangerWithdraw(uint256 which, address caller) external {
        if (caller == address(this)) {
            return;
        }
        vm.prank(caller);
        channels.withdraw(_keys[which % CHANNELS]);
        stolen = true;
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 3 days));
    }
}

/// @title What no sequence of calls may break: payments
contract ChannelInvariants {
    ChannelHandler private handler;
    PaymentChannels private channels;
    PintToken private pint;

    function setUp() public {
        handler = new ChannelHandler();
        (channels, pint) = handler.parts();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// What channels still hold is there, in both currencies.
    function invariant_channelsAreSolvent() external view {
        uint256 tokens = 0;
        uint256 ether_ = 0;
        for (uint256 i = 0; i < handler.CHANNELS(); ++i) {
            IPaymentChannels.Channel memory record = channels.channelOf(handler.ids(i));
            if (handler.isEther(i)) {
                ether_ += record.deposit - record.claimed;
            } else {
                tokens += record.deposit - record.claimed;
            }
        }
        require(pint.balanceOf(address(channels)) == tokens, "tokens");
        require(address(channels).balance == ether_, "ether");
    }

    function invariant_claimedNeverExceedsDeposit() external view {
        for (uint256 i = 0; i < handler.CHANNELS(); ++i) {
            IPaymentChannels.Channel memory record = channels.channelOf(handler.ids(i));
            require(record.claimed <= record.deposit, "claimed");
            require(record.claimed == handler.paid(i), "claimed is what was paid");
            require(record.deposit + handler.returned(i) == handler.funded(i), "deposit books");
        }
    }

    function invariant_payeesGetNoMoreThanTheirVouchers() external view {
        require(!handler.overpaid(), "overpaid");
    }

    function invariant_nobodyTakesWhatIsNotTheirs() external view {
        require(!handler.stolen(), "stolen");
    }

    function invariant_payersWaitForTheGrace() external view {
        require(!handler.earlyWithdrawal(), "early");
    }
}
