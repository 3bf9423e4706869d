// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPaymentChannels} from "../../../contracts/interfaces/IPaymentChannels.sol";
import {Payouts} from "../../../contracts/libraries/Payouts.sol";
import {PicoloHashes} from "../../../contracts/libraries/PicoloHashes.sol";
import {Base} from "./Base.sol";

contract PaymentFuzz is Base {
    uint256 private constant SIGNER = 0x51617;
    address private constant PAYEE = address(0xFEE);
    IPaymentChannels.Key private key;

    function setUp() public {
        deployAll();
        key = IPaymentChannels.Key(address(this), PAYEE, address(pint), vm.addr(SIGNER), 0);
        pint.approve(address(channels), type(uint256).max);
    }

    function voucher(uint256 by, IPaymentChannels.Key memory k, uint128 cumulative) private view returns (bytes memory) {
        return signed(by, PicoloHashes.hash(PicoloHashes.Voucher(channels.channelId(k), cumulative)));
    }

    function testFuzz_vouchersPayTheHighestOnce(uint96 deposit, uint128[6] calldata amounts) public {
        uint256 funded = bound(deposit, 1, 1e26);
        channels.fund(key, funded);
        uint256 highest = 0;
        for (uint256 i = 0; i < amounts.length; ++i) {
            uint256 effective = amounts[i] < funded ? amounts[i] : funded;
            bytes memory signature = voucher(SIGNER, key, amounts[i]);
            if (effective <= highest) {
                vm.expectRevert();
            }
            channels.collect(key, amounts[i], signature);
            highest = effective > highest ? effective : highest;
            eq(pint.balanceOf(PAYEE), highest, "paid in total");
        }
    }

    function testFuzz_onlyTheSignersVouchers(uint256 by, uint128 cumulative) public {
        by = bound(by, 1, type(uint128).max);
        vm.assume(by != SIGNER);
        channels.fund(key, 1e18);
        bytes memory signature = voucher(by, key, cumulative);
        vm.expectRevert(abi.encodeWithSelector(IPaymentChannels.BadVoucher.selector, channels.channelId(key)));
        channels.collect(key, cumulative, signature);
    }

    function testFuzz_everyPartNamesTheChannel(address payer, address payee, address token, address signer, bytes32 salt) public view {
        IPaymentChannels.Key memory other = IPaymentChannels.Key(payer, payee, token, signer, salt);
        bool same = keccak256(abi.encode(other)) == keccak256(abi.encode(key));
        ok((channels.channelId(other) == channels.channelId(key)) == same, "id");
    }

    function testFuzz_payerGetsTheRestAfterTheGrace(uint96 deposit, uint96 used, uint32 wait) public {
        uint256 funded = bound(deposit, 2, 1e26);
        uint256 spent = bound(used, 0, funded - 1);
        channels.fund(key, funded);
        if (spent != 0) {
            channels.collect(key, uint128(spent), voucher(SIGNER, key, uint128(spent)));
        }
        channels.requestClose(key);
        uint256 before = pint.balanceOf(address(this));
        uint256 waited = bound(wait, 0, 4 days);
        vm.warp(block.timestamp + waited);
        if (waited < channels.GRACE()) {
            vm.expectRevert();
        }
        channels.withdraw(key);
        eq(pint.balanceOf(address(this)) - before, waited < channels.GRACE() ? 0 : funded - spent, "rest");
    }

    function testFuzz_refilledChannelsKeepCounting(uint64 first, uint64 second, uint64 cumulative) public {
        uint256 a = bound(first, 1, 1e18);
        uint256 b = bound(second, 1, 1e18);
        channels.fund(key, a);
        channels.requestClose(key);
        vm.warp(block.timestamp + channels.GRACE());
        channels.withdraw(key);
        channels.fund(key, b);
        IPaymentChannels.Channel memory record = channels.channelOf(channels.channelId(key));
        eq(record.deposit - record.claimed, b, "only the new money is there");
        uint128 amount = uint128(bound(cumulative, 1, 1e18));
        channels.collect(key, amount, voucher(SIGNER, key, amount));
        eq(pint.balanceOf(PAYEE), amount < b ? amount : b, "an owed voucher pays from it, never more");
    }

    function testFuzz_etherAndTokensDoNotMix(uint96 amount, uint96 value) public {
        uint256 wanted = bound(amount, 1, 1e20);
        uint256 given = bound(value, 0, 1e20);
        vm.deal(address(this), 1e21);
        IPaymentChannels.Key memory ether_ = key;
        ether_.token = address(0);
        if (wanted != given) {
            vm.expectRevert(abi.encodeWithSelector(Payouts.TokenMismatch.selector, given));
        }
        channels.fund{value: given}(ether_, wanted);
        eq(address(channels).balance, wanted == given ? wanted : 0, "balance");
    }

    function testFuzz_levels(uint96 amount) public {
        uint256 deposit = bound(amount, 1, 1e26);
        pint.approve(address(access), deposit);
        access.deposit(PAYEE, deposit);
        uint256 level = access.levelOf(PAYEE);
        uint256 units = deposit / access.UNIT();
        if (level == 0) {
            eq(units, 0, "below one unit");
        } else {
            ok(units >= 1 << (level - 1), "at least 2^(level-1)");
            ok(level == access.MAX_LEVEL() || units < 1 << level, "below 2^level");
        }
    }

    function testFuzz_requiredStakeGrowsWithTheOffer(uint32 gib, uint16 vcpu, uint32 more) public view {
        uint256 a = bound(gib, 1, 1e6);
        uint256 b = a + bound(more, 0, 1e6);
        ok(nodes.requiredStake(a, vcpu) <= nodes.requiredStake(b, vcpu), "monotonic");
        ok(nodes.requiredStake(a, vcpu) >= params.stakeRates().minimum, "at least the minimum");
    }
}
