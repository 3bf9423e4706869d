// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClusterRegistry} from "../../../contracts/ClusterRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IClusterRegistry} from "../../../contracts/interfaces/IClusterRegistry.sol";
import {IStakeVault} from "../../../contracts/interfaces/IStakeVault.sol";
import {NodeRegistry} from "../../../contracts/NodeRegistry.sol";
import {PintToken} from "../../../contracts/PintToken.sol";
import {StakeVault} from "../../../contracts/StakeVault.sol";
import {VaultHandler} from "./VaultHandler.sol";

/// @title What no sequence of calls may break: stake, punishment, capacity
contract VaultInvariants {
    VaultHandler private handler;
    PintToken private pint;
    StakeVault private vault;
    NodeRegistry private nodes;
    ClusterRegistry private clusters;

    function setUp() public {
        handler = new VaultHandler();
        (address a, address b, address c, address d) = handler.parts();
        (pint, vault, nodes, clusters) = (PintToken(a), StakeVault(b), NodeRegistry(c), ClusterRegistry(d));
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function allStake() private view returns (uint256 sum) {
        for (uint256 i = 0; i < handler.NODES(); ++i) {
            IStakeVault.Account memory account = vault.accountOf(handler.members(i));
            sum += uint256(account.active) + account.pending;
        }
    }

    /// The vault can pay everybody, to the wei.
    function invariant_vaultIsSolvent() external view {
        require(pint.balanceOf(address(vault)) == allStake() + handler.credits() + handler.waiting(), "solvency");
    }

    /// Only slashes and matured withdrawals lower stake.
    function invariant_stakeIsAccountedFor() external view {
        require(allStake() + handler.withdrawn() + handler.slashed() == handler.deposited(), "stake books");
    }

    function invariant_nobodyLeavesEarly() external view {
        require(!handler.earlyExit(), "early exit");
    }

    /// At least half of everything slashed is burned or waits to be.
    function invariant_halfOfEverySlashBurns() external view {
        require(handler.credited() * 2 <= handler.slashed(), "burn share");
        require(handler.waiting() + handler.burned() + handler.credited() == handler.slashed(), "slash books");
    }

    function invariant_supplyOnlyFallsByBurning() external view {
        require(pint.totalSupply() == pint.GENESIS_SUPPLY() - handler.burned(), "supply");
    }

    function invariant_creditsAreAccountedFor() external view {
        require(handler.credits() + handler.claimed() == handler.credited(), "credit books");
    }

    /// A lock exceeds active stake only after a slash.
    function invariant_locksAreBacked() external view {
        for (uint256 i = 0; i < handler.NODES(); ++i) {
            address node = handler.members(i);
            IStakeVault.Account memory account = vault.accountOf(node);
            if (account.faults == 0) {
                require(vault.keyOf(node).locked <= account.active, "lock");
            }
        }
    }

    /// The lock is what the offer needs, until a grave fault ends the service: from then on it holds nothing back. Nothing in use is not offered.
    function invariant_locksFollowOffers() external view {
        for (uint256 i = 0; i < handler.NODES(); ++i) {
            address node = handler.members(i);
            INodeRegistry.Node memory record = nodes.nodeOf(node);
            IStakeVault.Key memory key = vault.keyOf(node);
            bool ended = key.signer == address(0) || vault.accountOf(node).status == IStakeVault.Status.Tombstoned;
            require(ended || key.locked == nodes.requiredStake(record.offeredGib, record.vcpu), "lock of offer");
            require(record.usedGib <= record.offeredGib, "used");
        }
    }

    /// The groups of a node add up to its used capacity.
    function invariant_usedCapacityIsTheSumOfGroups() external view {
        for (uint256 i = 0; i < handler.NODES(); ++i) {
            address node = handler.members(i);
            require(nodes.nodeOf(node).usedGib == handler.usedGib(node), "capacity books");
        }
    }

    /// The registry knows exactly the current roster of every group, and when earlier epochs ended.
    function invariant_epochsEndOnce() external view {
        require(!handler.endedTwice(), "ended twice");
        uint256 open = 0;
        for (uint256 i = 0; i < handler.formedCount(); ++i) {
            (bytes memory roster,, uint64 epoch, bool isOpen) = handler.formed(i);
            open += isOpen ? 1 : 0;
            (IClusterRegistry.Epoch memory record,) = clusters.membership(clusters.groupId(handler.cluster(), i), epoch);
            require(record.roster == uint192(uint256(keccak256(roster))), "roster");
            require((record.endedAt == 0) == isOpen, "end");
            for (uint64 e = 1; e < epoch; ++e) {
                (IClusterRegistry.Epoch memory old,) = clusters.membership(clusters.groupId(handler.cluster(), i), e);
                require(old.endedAt == handler.endedAt(keccak256(abi.encode(i, e))), "stamp");
            }
        }
        require(clusters.clusterOf(handler.cluster()).open == open, "open groups");
    }

    /// The convicted stay convicted and put nothing back to work.
    function invariant_tombstonesStay() external view {
        for (uint256 i = 0; i < handler.NODES(); ++i) {
            address node = handler.members(i);
            if (handler.wasTombstoned(node)) {
                IStakeVault.Account memory account = vault.accountOf(node);
                require(account.status > IStakeVault.Status.Active, "status");
                require(account.active <= handler.activeAtTombstone(node), "active");
            }
        }
    }
}
