// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClusterRegistry} from "../../../contracts/ClusterRegistry.sol";
import {INodeRegistry} from "../../../contracts/interfaces/INodeRegistry.sol";
import {IClusterRegistry} from "../../../contracts/interfaces/IClusterRegistry.sol";
import {IStakeVault} from "../../../contracts/interfaces/IStakeVault.sol";
import {PicoloHashes} from "../../../contracts/libraries/PicoloHashes.sol";
import {Base} from "./Base.sol";

/**
 * @title Random life of a network: five nodes, their owners, a slasher, strangers and a clock
 * @dev Keeps its own books ("ghosts") that the invariants compare with the contracts.
 */
contract VaultHandler is Base {
    uint256 public constant NODES = 5;
    address private constant REPORTER = address(0xF00D);
    address private constant CONSUMER = address(0xC0DE);

    address[] public members;
    uint256[] private _keys;
    mapping(address => address) public ownerOf;

    // ghosts
    uint256 public deposited;
    uint256 public withdrawn;
    uint256 public slashed;
    uint256 public credited;
    uint256 public claimed;
    uint256 public burned;
    mapping(address => uint256) public matureAt; // earliest honest withdrawal
    mapping(address => bool) public wasTombstoned;
    mapping(address => bool) public wasVoid;
    mapping(address => uint256) public activeAtTombstone;
    mapping(address => IStakeVault.Parts) public claims;
    mapping(address => uint256) public usedGib;
    bool public earlyExit;
    bool public endedTwice;

    // clusters
    bytes32 public cluster;
    struct Formed {
        bytes roster;
        uint24 gib;
        uint64 epoch;
        bool open;
    }
    Formed[] public formed;
    mapping(bytes32 => uint256) public endedAt;

    constructor() {
        deployAll();
        for (uint256 i = 0; i < NODES; ++i) {
            address owner = address(uint160(0xA000 + i));
            _keys.push(0xB000 + i);
            address node = newNode(_keys[i], owner, 2_000e18);
            members.push(node);
            ownerOf[node] = owner;
            deposited += 2_000e18;
        }
        cluster = clusters.createCluster(0, 2, 0, IClusterRegistry.Terms(address(0), 0, 0, 0, 0, 0));
        // a living start, so that short sequences reach deep states
        for (uint256 i = 0; i < NODES; ++i) {
            offer(i, 600);
            deposit(i, 3_000e18);
        }
        formGroup(0, 1, 50);
        formGroup(2, 3, 60);
    }

    function parts() external view returns (address, address, address, address) {
        return (address(pint), address(vault), address(nodes), address(clusters));
    }

    function formedCount() external view returns (uint256) {
        return formed.length;
    }

    // ---- stake

    function deposit(uint256 who, uint256 amount) public {
        address node = members[who % NODES];
        amount = bound(amount, 1, 5_000e9) * 1e9;
        pint.approve(address(vault), amount);
        vault.deposit(node, amount);
        deposited += amount;
    }

    function requestUnbond(uint256 who, uint256 amount) external {
        address node = members[who % NODES];
        amount = bound(amount, 1, vault.freeOf(node) / 1e9 + 1) * 1e9;
        vm.prank(ownerOf[node]);
        vault.requestUnbond(node, amount);
        matureAt[node] = block.timestamp + UNBONDING;
    }

    function cancelUnbond(uint256 who) external {
        address node = members[who % NODES];
        vm.prank(ownerOf[node]);
        vault.cancelUnbond(node);
    }

    function withdraw(uint256 who) external {
        address node = members[who % NODES];
        uint256 amount = vault.accountOf(node).pending;
        vm.prank(ownerOf[node]);
        vault.withdraw(node);
        withdrawn += amount;
        if (block.timestamp < matureAt[node]) {
            earlyExit = true;
        }
    }

    function stranger(uint256 who, address caller, uint256 amount) external {
        address node = members[who % NODES];
        if (caller == ownerOf[node] || caller == address(this)) {
            return;
        }
        vm.prank(caller);
        vault.requestUnbond(node, amount);
    }

    function wait(uint256 time) external {
        vm.warp(block.timestamp + bound(time, 1, 30 days));
    }

    // ---- punishment

    function slash(uint256 who, uint256 bps, uint256 reporterBps, uint256 consumerBps, bool grave, uint256 which) external {
        address node = members[who % NODES];
        IStakeVault.Status status = grave && bps % 4 == 0 ? IStakeVault.Status.Tombstoned : IStakeVault.Status.Active;
        uint256 before = credits();
        uint256 taken = vault.slash(
            IStakeVault.Penalty(
                node, uint16(bps), 1, status, REPORTER, uint16(reporterBps), CONSUMER, uint16(consumerBps), groupNo(which)
            )
        );
        slashed += taken;
        credited += credits() - before;
        if (status == IStakeVault.Status.Tombstoned) {
            wasTombstoned[node] = true;
        }
        if (wasTombstoned[node]) {
            activeAtTombstone[node] = vault.accountOf(node).active;
        }
    }

    /// @dev A grave fault by the slasher's other call; what it took waits in the place of the badge.
    function convict(uint256 who, bool everything, uint256 which) external {
        address node = members[who % NODES];
        uint256 before = stakeOf(node);
        vault.convict(node, groupNo(which), 2, everything, REPORTER);
        uint256 taken = before - stakeOf(node);
        slashed += taken;
        (wasTombstoned[node], wasVoid[node], activeAtTombstone[node]) = (true, everything, vault.accountOf(node).active);
        uint256 part = taken / 10;
        claims[node] = IStakeVault.Parts(REPORTER, part < 5_000e18 ? part : 5_000e18, groupNo(which), address(0), taken / 5);
    }

    function shareOut(uint256 who) external {
        address node = members[who % NODES];
        uint256 before = credits();
        uint256 supply = pint.totalSupply();
        vault.shareOut(node, claims[node]);
        credited += credits() - before;
        burned += supply - pint.totalSupply();
    }

    function settle(uint256 which) external {
        uint256 before = credits();
        uint256 supply = pint.totalSupply();
        vault.settle(groupNo(which));
        credited += credits() - before;
        burned += supply - pint.totalSupply();
    }

    /// @dev One of the two first groups, one that nobody knows, or none.
    function groupNo(uint256 which) public view returns (bytes32) {
        uint256 kind = which % 4;
        return kind == 3 ? bytes32(0) : kind == 2 ? bytes32("unknown") : clusters.groupId(cluster, kind);
    }

    /// @dev Taken, not shared out: in pots, in bounties and in the pot of what belongs to no group.
    function waiting() public view returns (uint256 sum) {
        sum = vault.burnPot();
        for (uint256 i = 0; i < 3; ++i) {
            IStakeVault.Pot memory pot = vault.potOf(groupNo(i));
            sum += uint256(pot.share) + pot.burn;
        }
        for (uint256 i = 0; i < NODES; ++i) {
            sum += vault.bountyOf(members[i]).amount;
        }
    }

    function claimCredit(uint256 whose) external {
        address account = whose % 3 == 0 ? REPORTER : whose % 3 == 1 ? CONSUMER : address(this);
        (uint256 amount,) = vault.creditOf(account);
        vault.claimCredit(account);
        claimed += amount;
    }

    function sweep() external {
        uint256 amount = vault.burnPot();
        vault.sweep();
        burned += amount;
    }

    function credits() public view returns (uint256) {
        (uint256 a,) = vault.creditOf(REPORTER);
        (uint256 b,) = vault.creditOf(CONSUMER);
        (uint256 c,) = vault.creditOf(address(this)); // owns the groups
        return a + b + c;
    }

    // ---- capacity and groups

    function offer(uint256 who, uint256 gib) public {
        address node = members[who % NODES];
        vm.prank(ownerOf[node]);
        nodes.setResources(node, INodeRegistry.Resources(uint32(bound(gib, 0, 2_000)), 0, 0, 0, 0));
    }

    function formGroup(uint256 first, uint256 second, uint256 gib) public {
        (uint256 a, uint256 b) = (first % NODES, (first + 1 + second % (NODES - 1)) % NODES);
        if (members[a] > members[b]) {
            (a, b) = (b, a);
        }
        uint24 size = uint24(bound(gib, 1, 100));
        IClusterRegistry.SignedOffer[] memory offers = new IClusterRegistry.SignedOffer[](2);
        (offers[0], offers[1]) = (signedOffer(a, size), signedOffer(b, size));
        clusters.formGroup(cluster, size, offers);
        formed.push(Formed(abi.encodePacked(members[a], members[b]), size, 1, true));
        usedGib[members[a]] += size;
        usedGib[members[b]] += size;
    }

    function replaceMember(uint256 which, uint256 who, bool firstSeat) external {
        Formed storage group = formed[which % formed.length];
        uint256 index = which % formed.length;
        uint256 incoming = who % NODES;
        (address left, address right) = seats(group.roster);
        (address leaving, address staying) = firstSeat ? (left, right) : (right, left);
        clusters.replaceMember(cluster, index, group.roster, leaving, signedOffer(incoming, group.gib));
        noteEnd(index, group.epoch);
        usedGib[leaving] -= group.gib;
        usedGib[members[incoming]] += group.gib;
        address joined = members[incoming];
        group.roster = staying < joined ? abi.encodePacked(staying, joined) : abi.encodePacked(joined, staying);
        ++group.epoch;
    }

    function closeGroup(uint256 which) external {
        uint256 index = which % formed.length;
        Formed storage group = formed[index];
        clusters.closeGroup(cluster, index, group.roster);
        noteEnd(index, group.epoch);
        group.open = false;
        (address left, address right) = seats(group.roster);
        usedGib[left] -= group.gib;
        usedGib[right] -= group.gib;
    }

    function noteEnd(uint256 index, uint64 epoch) private {
        bytes32 key = keccak256(abi.encode(index, epoch));
        if (endedAt[key] != 0) {
            endedTwice = true;
        }
        endedAt[key] = block.timestamp;
    }

    function signedOffer(uint256 who, uint24 gib) private view returns (IClusterRegistry.SignedOffer memory) {
        uint64 expiresAt = uint64(block.timestamp + 1 days);
        (bytes32 r, bytes32 vs) = compact(_keys[who], PicoloHashes.hash(PicoloHashes.Offer(cluster, members[who], gib, expiresAt)));
        return IClusterRegistry.SignedOffer(members[who], gib, expiresAt, r, vs);
    }

    function seats(bytes memory roster) private pure returns (address left, address right) {
        assembly ("memory-safe") {
            left := shr(96, mload(add(roster, 0x20)))
            right := shr(96, mload(add(roster, 0x34)))
        }
    }
}
