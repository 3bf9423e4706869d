// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {PintToken} from "../../../contracts/PintToken.sol";
import {StakeVault} from "../../../contracts/StakeVault.sol";
import {StakeVotes} from "../../../contracts/StakeVotes.sol";
import {Base} from "./Base.sol";

/// @title Three owners who stake, leave, move PINT, record votes and collect fees
/// @dev Keeps its own list of fees and of what each owner ever got.
contract GovernanceHandler is Base {
    uint256 public constant OWNERS = 3;

    StakeVotes public votes;
    address[] public owners;
    address[] public members;

    struct Fee {
        uint256 amount;
        uint256 at;
    }

    mapping(address node => Fee[]) private _fees;

    constructor() {
        deployAll();
        votes = new StakeVotes(vault);
        for (uint256 i = 0; i < OWNERS; ++i) {
            address owner = address(uint160(0xA100 + i));
            owners.push(owner);
            members.push(newNode(0xB100 + i, owner, 3_000e18));
            pint.transfer(owner, 3_000e18);
            vm.prank(owner);
            pint.delegate(owner);
            vm.prank(owner);
            pint.approve(address(vault), type(uint256).max);
            vm.prank(owner);
            nodes.setResources(members[i], INodeRegistry.Resources(100, 0, 0, 0, 0));
        }
        record(0);
        vm.warp(block.timestamp + 1);
    }

    function parts() external view returns (PintToken, StakeVault) {
        return (pint, vault);
    }

    function registry() external view returns (INodeRegistry) {
        return nodes;
    }

    function deposit(uint256 who, uint256 amount) external {
        (address owner, address node) = pick(who);
        vm.prank(owner);
        vault.deposit(node, bound(amount, 1, 1_000) * 1e18);
    }

    function unbond(uint256 who, uint256 amount) external {
        (address owner, address node) = pick(who);
        vm.prank(owner);
        vault.requestUnbond(node, bound(amount, 1, 2_000) * 1e18);
    }

    function withdraw(uint256 who) external {
        (address owner, address node) = pick(who);
        vm.prank(owner);
        vault.withdraw(node);
    }

    function move(uint256 who, uint256 to, uint256 amount) external {
        (address owner,) = pick(who);
        (address receiver,) = pick(to);
        vm.prank(owner);
        pint.transfer(receiver, bound(amount, 1, 3_000) * 1e18);
    }

    function record(uint256 who) public {
        (address owner, address node) = pick(who);
        address[] memory own = new address[](1);
        own[0] = node;
        vm.prank(owner);
        votes.record(own);
    }

    function earn(uint256 who, uint256 amount) external {
        (, address node) = pick(who);
        amount = bound(amount, 1, 500) * 1e18;
        vm.prank(address(splitter));
        nodes.noteFees(node, address(pint), amount);
        _fees[node].push(Fee(amount, block.timestamp));
    }

    function release(uint256 who) external {
        (, address node) = pick(who);
        nodes.releaseFees(node);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 12 days));
    }

    /// @dev Fees of `node` of the last `period` seconds.
    function recent(address node, uint256 period) external view returns (uint256 sum) {
        for (uint256 i = 0; i < _fees[node].length; ++i) {
            sum += _fees[node][i].at + period > block.timestamp ? _fees[node][i].amount : 0;
        }
    }

    function asked(address node) external view returns (uint256) {
        return nodes.feeStakeOf(node);
    }

    function pick(uint256 who) private view returns (address, address) {
        return (owners[who % OWNERS], members[who % OWNERS]);
    }
}

/// @title What no sequence of calls may break: votes and fee locks
contract GovernanceInvariants {
    GovernanceHandler private handler;
    PintToken private pint;
    StakeVault private vault;

    function setUp() public {
        handler = new GovernanceHandler();
        (pint, vault) = handler.parts();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// Liquid and recorded votes of everybody together are never more than the PINT that they hold or stake.
    function invariant_noPintVotesTwice() external view {
        uint256 cast = 0;
        uint256 held = 0;
        for (uint256 i = 0; i < handler.OWNERS(); ++i) {
            address owner = handler.owners(i);
            cast += pint.getPastVotes(owner, block.timestamp - 1) + handler.votes().getPastVotes(owner, block.timestamp - 1);
            StakeVault.Account memory account = vault.accountOf(handler.members(i));
            held += pint.balanceOf(owner) + account.active + account.pending;
        }
        require(cast <= held, "votes");
    }

    /// Every fee of the last evidence window still asks for its stake.
    function invariant_feesAskForStakeWhileEvidenceLasts() external view {
        for (uint256 i = 0; i < handler.OWNERS(); ++i) {
            address node = handler.members(i);
            require(handler.asked(node) >= handler.recent(node, 14 days), "young fee");
            require(handler.asked(node) <= handler.recent(node, 28 days), "old fee");
        }
    }

    /// The lock is never less than the offer needs, never more than there is.
    function invariant_locksAreWithinStake() external view {
        for (uint256 i = 0; i < handler.OWNERS(); ++i) {
            address node = handler.members(i);
            uint256 locked = vault.keyOf(node).locked;
            require(locked >= 1_100e18 && locked <= vault.accountOf(node).active, "lock");
        }
    }
}
