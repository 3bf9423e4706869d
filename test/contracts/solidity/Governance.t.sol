// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {ISystemParams} from "../../../contracts/interfaces/ISystemParams.sol";
import {SystemParams} from "../../../contracts/SystemParams.sol";
import {Base} from "./Base.sol";

/// @dev An authority that lets everybody do everything, so that bounds are what refuses.
contract OpenAuthority {
    function canCall(address, address, bytes4) external pure returns (bool, uint32) {
        return (true, 0);
    }
}

/// @title Properties of parameters, mint, fee locks and draws
contract GovernanceTest is Base {
    SystemParams private open;

    function setUp() public {
        deployAll();
        open = new SystemParams(address(new OpenAuthority()), vault, address(pint), genesis());
    }

    /// A fee lock always outlives evidence and never outlasts an exit.
    function testFuzz_feeLocksStayBetweenEvidenceAndExit(uint16 bps, uint40 period) public {
        period = uint40(bound(period, 0, 40 days));
        bool fits = period >= 14 days && period <= UNBONDING && bps <= 50_000;
        try open.setFeeLock(ISystemParams.FeeLock(bps, period)) {
            ok(fits, "accepted");
            eq(open.feeLock().period, period, "stored");
        } catch {
            ok(!fits, "refused");
            eq(open.feeLock().period, 14 days, "untouched");
        }
    }

    /// However mints are spread, no window of a year has more than two percent.
    function testFuzz_noYearMintsMoreThanTwoPercent(uint256[8] calldata amounts, uint256[8] calldata gaps) public {
        uint256[8] memory minted;
        uint256[8] memory at;
        for (uint256 i = 0; i < 8; ++i) {
            vm.warp(block.timestamp + bound(gaps[i], 1, 200 days));
            uint256 amount = bound(amounts[i], 0, 15e24);
            vm.prank(address(authority));
            try pint.mint(address(0xBEEF), amount) {
                (minted[i], at[i]) = (amount, block.timestamp);
            } catch {}
            uint256 year = 0;
            for (uint256 j = 0; j <= i; ++j) {
                year += at[j] + 365 days > block.timestamp ? minted[j] : 0;
            }
            ok(year <= 20e24, "two percent");
        }
    }

    /// A lock for fees is never below what the offer needs and never above what is staked.
    function testFuzz_feeLocksAreFreeStake(uint256 stake, uint256 fee, uint256 wait) public {
        stake = bound(stake, 1_100, 9_000) * 1e18;
        address node = newNode(0xB0B, address(0xB0B0), stake);
        vm.prank(address(0xB0B0));
        nodes.setResources(node, INodeRegistry.Resources(100, 0, 0, 0, 0));
        vm.prank(address(splitter));
        nodes.noteFees(node, address(pint), bound(fee, 0, 2e22));
        ok(vault.keyOf(node).locked >= 1_100e18 && vault.keyOf(node).locked <= stake, "lock");
        vm.warp(block.timestamp + 28 days + bound(wait, 0, 100 days));
        nodes.releaseFees(node);
        eq(vault.keyOf(node).locked, 1_100e18, "released after two periods");
    }

    /// What a draw chooses are distinct candidates, the same for everybody who looks.
    function testFuzz_chosenAreDistinctCandidates(bytes32 seed, uint8 count) public {
        address[] memory candidates = new address[](6);
        for (uint256 i = 0; i < 6; ++i) {
            candidates[i] = newNode(0xD000 + i, address(uint160(0xE000 + i)), 2_000e18);
            vm.prank(address(uint160(0xE000 + i)));
            nodes.setResources(candidates[i], INodeRegistry.Resources(10, 0, 0, 0, 0));
        }
        uint256 wanted = bound(count, 1, 6);
        address[] memory chosen = clusters.choose(seed, candidates, wanted, 10, 0);
        for (uint256 i = 0; i < wanted; ++i) {
            bool known = false;
            for (uint256 j = 0; j < 6; ++j) {
                known = known || chosen[i] == vm.addr(0xD000 + j);
            }
            ok(known, "candidate");
            for (uint256 j = 0; j < i; ++j) {
                ok(chosen[i] != chosen[j], "distinct");
            }
        }
        ok(keccak256(abi.encode(chosen)) == keccak256(abi.encode(clusters.choose(seed, candidates, wanted, 10, 0))), "stable");
    }
}
