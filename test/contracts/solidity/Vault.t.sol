// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IStakeVault} from "../../../contracts/interfaces/IStakeVault.sol";
import {PicoloHashes} from "../../../contracts/libraries/PicoloHashes.sol";
import {Base} from "./Base.sol";

contract VaultFuzz is Base {
    address private constant OWNER = address(0xA11CE);
    address private constant REPORTER = address(0xF00D);
    address private constant CONSUMER = address(0xC0DE);
    address private node;

    function setUp() public {
        deployAll();
        node = newNode(0xA1, OWNER, 0);
    }

    function penalty(uint256 bps, uint256 reporterBps, uint256 consumerBps) private view returns (IStakeVault.Penalty memory) {
        return IStakeVault.Penalty(
            node, uint16(bps), 1, IStakeVault.Status.Active, REPORTER, uint16(reporterBps), CONSUMER, uint16(consumerBps), bytes32(0)
        );
    }

    function creditOf(address account) private view returns (uint256 amount, uint256 vestAt) {
        return vault.creditOf(account);
    }

    function testFuzz_depositsAddUp(uint96 a, uint96 b) public {
        (uint256 x, uint256 y) = (bound(a, 1, 1e17) * 1e9, bound(b, 1, 1e17) * 1e9);
        stakeFor(node, x);
        stakeFor(node, y);
        eq(vault.accountOf(node).active, x + y, "active");
        eq(pint.balanceOf(address(vault)), x + y, "balance");
    }

    function testFuzz_slashTakesItsPartRoundedUpAndNeverMore(uint96 stake, uint96 leaving, uint16 bps) public {
        uint256 total = bound(stake, 1, 1e17) * 1e9;
        uint256 pending = bound(leaving, 0, total / 1e9) * 1e9;
        stakeFor(node, total);
        if (pending != 0) {
            vm.prank(OWNER);
            vault.requestUnbond(node, pending);
        }
        uint256 taken = vault.slash(penalty(bps, 0, 0));
        uint256 exact = bps >= 10_000 ? total : ((total / 1e9 * bps + 9_999) / 10_000) * 1e9;
        eq(taken, exact, "rounded up to a gwei, clamped");
        eq(stakeOf(node), total - taken, "account");
        uint256 active = vault.accountOf(node).active;
        eq(active, total - pending > taken ? total - pending - taken : 0, "active first");
    }

    function testFuzz_slashSplitsIntoTheWhole(uint96 stake, uint16 bps, uint16 reporterBps, uint16 consumerBps) public {
        stakeFor(node, bound(stake, 1, 1e17) * 1e9);
        uint256 taken = vault.slash(penalty(bps, reporterBps, consumerBps));
        (uint256 reward,) = creditOf(REPORTER);
        (uint256 share,) = creditOf(CONSUMER);
        eq(reward + share + vault.burnPot(), taken, "nothing is lost or made");
        ok(vault.burnPot() * 2 >= taken, "half burns");
        ok(reward * 10 <= taken * 3 && reward <= 5_000e18, "reward cap");
    }

    function testFuzz_repeatedSpecksNeverRoundToNothing(uint8 times) public {
        stakeFor(node, 300e9);
        uint256 n = bound(times, 1, 250);
        for (uint256 i = 0; i < n; ++i) {
            vault.slash(penalty(1, 0, 0));
        }
        eq(stakeOf(node), (300 - n) * 1e9, "at least one gwei each time");
    }

    function testFuzz_noSharesWithoutRecipients(uint96 stake, uint16 bps) public {
        stakeFor(node, bound(stake, 1, 1e17) * 1e9);
        IStakeVault.Penalty memory p = penalty(bps, 3_000, 2_000);
        (p.reporter, p.consumer) = (address(0), address(0));
        eq(vault.slash(p), vault.burnPot(), "all burns");
    }

    function testFuzz_exitTakesTheWholeTime(uint96 stake, uint96 part, uint32 wait) public {
        uint256 total = bound(stake, 1, 1e17) * 1e9;
        uint256 amount = bound(part, 1, total / 1e9) * 1e9;
        stakeFor(node, total);
        vm.prank(OWNER);
        vault.requestUnbond(node, amount);
        uint256 waited = bound(wait, 0, 2 * UNBONDING);
        vm.warp(block.timestamp + waited);
        if (waited < UNBONDING) {
            vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillLocked.selector, block.timestamp - waited + UNBONDING));
        }
        vm.prank(OWNER);
        vault.withdraw(node);
        eq(pint.balanceOf(OWNER), waited < UNBONDING ? 0 : amount, "paid");
    }

    function testFuzz_askingAgainRestartsTheClock(uint32 wait) public {
        stakeFor(node, 10e18);
        vm.prank(OWNER);
        vault.requestUnbond(node, 1e18);
        uint256 before = vault.accountOf(node).unlockAt;
        vm.warp(block.timestamp + bound(wait, 0, 3 * UNBONDING));
        vm.prank(OWNER);
        vault.requestUnbond(node, 1e18);
        ok(vault.accountOf(node).unlockAt >= before, "never earlier");
        eq(vault.accountOf(node).unlockAt, block.timestamp + UNBONDING, "whole time for all of it");
    }

    function testFuzz_neverMoreThanFree(uint96 stake, uint32 gib, uint96 ask) public {
        uint256 offered = bound(gib, 0, 1e6);
        uint256 need = nodes.requiredStake(offered, 0);
        uint256 total = bound(stake, 1, 1e17) * 1e9;
        stakeFor(node, total);
        if (total < need) {
            vm.expectRevert(abi.encodeWithSelector(IStakeVault.StakeTooLow.selector, need));
        }
        vm.prank(OWNER);
        nodes.setResources(node, INodeRegistry.Resources(uint32(offered), 0, 0, 0, 0));
        uint256 free = total < need ? total : total - need;
        eq(vault.freeOf(node), free, "free");
        uint256 amount = bound(ask, 1, 1e18) * 1e9;
        if (amount > free) {
            vm.expectRevert(abi.encodeWithSelector(IStakeVault.Insufficient.selector, free, amount));
        }
        vm.prank(OWNER);
        vault.requestUnbond(node, amount);
    }

    function testFuzz_onlySlashersSlash(address caller, uint16 bps) public {
        vm.assume(caller != address(this) && caller != address(slasher));
        stakeFor(node, 1e18);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotSlasher.selector, caller));
        vm.prank(caller);
        vault.slash(penalty(bps, 0, 0));
    }

    function testFuzz_vestingNeitherHurriesNorStalls(uint96 first, uint96 second, uint32 between) public {
        stakeFor(node, 1e26);
        // direct control of amounts: take parts by bps of what is there
        uint256 a = bound(first, 1, 10_000);
        uint256 b = bound(second, 1, 10_000);
        IStakeVault.Penalty memory p = penalty(a, 0, 5_000);
        p.reporter = address(0);
        vault.slash(p);
        (uint256 oldAmount, uint256 oldVest) = creditOf(CONSUMER);
        vm.warp(block.timestamp + bound(between, 0, 2 * UNBONDING));
        p.bps = uint16(b);
        vault.slash(p);
        (uint256 amount, uint256 vestAt) = creditOf(CONSUMER);
        uint256 floor = oldVest < block.timestamp ? block.timestamp : oldVest;
        ok(vestAt <= block.timestamp + UNBONDING, "never later than fresh");
        ok(vestAt >= floor, "never earlier than what was there");
        // amount-weighted waiting time is kept: nobody gains speed
        ok(amount * vestAt >= oldAmount * floor + (amount - oldAmount) * (block.timestamp + UNBONDING), "weight");
    }

    function testFuzz_onlyWholeGweiMove(uint96 amount) public {
        vm.assume(amount % 1e9 != 0);
        pint.approve(address(vault), amount);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWholeGwei.selector, amount));
        vault.deposit(node, amount);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.NotWholeGwei.selector, amount));
        vm.prank(OWNER);
        vault.requestUnbond(node, amount);
    }

    function testFuzz_convictionTakesHalfOrAllAndSharesItOutOnce(uint96 stake, bool everything) public {
        uint256 total = bound(stake, 1, 1e17) * 1e9;
        stakeFor(node, total);
        vault.convict(node, bytes32("unknown"), 2, everything, REPORTER);
        uint256 taken = everything ? total : (total / 1e9 + 1) / 2 * 1e9;
        eq(stakeOf(node), total - taken, "stake");
        eq(vault.bountyOf(node).amount, taken, "bounty");
        uint256 reward = taken / 10 < 5_000e18 ? taken / 10 : 5_000e18;
        IStakeVault.Parts memory parts = IStakeVault.Parts(REPORTER, reward, bytes32("unknown"), address(0), taken / 5);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.StillLocked.selector, block.timestamp + 601));
        vault.shareOut(node, parts);
        vm.warp(block.timestamp + 601);
        ++parts.reward;
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongClaim.selector, node));
        vault.shareOut(node, parts);
        --parts.reward;
        uint256 supply = pint.totalSupply();
        vault.shareOut(node, parts);
        (uint256 credit, uint256 vestAt) = creditOf(REPORTER);
        eq(credit, reward, "reporter");
        if (reward != 0) {
            eq(vestAt, block.timestamp - 601 + UNBONDING, "vests from the slash on");
        }
        eq(supply - pint.totalSupply(), taken - reward, "an unknown group has no owner: its part burns too");
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.WrongClaim.selector, node));
        vault.shareOut(node, parts);
    }

    function testFuzz_registrationNeedsTheKeyItself(uint256 key, uint256 other, address owner) public {
        key = bound(key, 1, type(uint128).max);
        other = bound(other, 1, type(uint128).max);
        vm.assume(key != other && key != 0xA1 && owner != address(0));
        address signer = vm.addr(key);
        bytes32 consent = PicoloHashes.hash(PicoloHashes.NodeKey(signer, owner, signer));
        bytes memory wrong = signed(other, consent);
        vm.expectRevert(abi.encodeWithSelector(IStakeVault.BadPossession.selector, signer));
        vm.prank(owner);
        vault.register(signer, wrong);
        bytes memory right = signed(key, consent);
        vm.prank(owner);
        vault.register(signer, right);
        eq(uint160(vault.nodeOfSigner(signer)), uint160(signer), "node");
    }

    function testFuzz_domainFollowsTheChain(uint64 id) public {
        uint256 other = bound(id, 1, type(uint64).max - 1);
        bytes32 here = vault.domainSeparator();
        vm.assume(other != block.chainid);
        vm.chainId(other);
        ok(vault.domainSeparator() != here, "L-08: separator is read at call time");
    }

    function testFuzz_ladderCountsOnlyNeighbours(uint32 wait) public {
        stakeFor(node, 1e20);
        vault.slash(penalty(1, 0, 0));
        uint256 waited = bound(wait, 0, 90 days);
        vm.warp(block.timestamp + waited);
        vault.slash(penalty(1, 0, 0));
        eq(vault.ownerOf(node).ladder, waited <= 30 days ? 2 : 1, "ladder");
        eq(vault.accountOf(node).faults, 2, "faults");
    }
}
