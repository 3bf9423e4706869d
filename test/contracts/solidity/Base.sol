// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authority} from "../../../contracts/Authority.sol";
import {AccessDeposits} from "../../../contracts/AccessDeposits.sol";
import {CheckpointAnchor} from "../../../contracts/CheckpointAnchor.sol";
import {ClusterRegistry} from "../../../contracts/ClusterRegistry.sol";
import {ClusterSplitter} from "../../../contracts/ClusterSplitter.sol";
import {DataMarket} from "../../../contracts/DataMarket.sol";
import {NodeRegistry} from "../../../contracts/NodeRegistry.sol";
import {PaymentChannels} from "../../../contracts/PaymentChannels.sol";
import {PintToken} from "../../../contracts/PintToken.sol";
import {QueryOracle} from "../../../contracts/QueryOracle.sol";
import {SlasherConsensus} from "../../../contracts/SlasherConsensus.sol";
import {StakeVault} from "../../../contracts/StakeVault.sol";
import {SystemParams} from "../../../contracts/SystemParams.sol";
import {VaultModules} from "../../../contracts/VaultModules.sol";
import {ISystemParams} from "../../../contracts/interfaces/ISystemParams.sol";
import {Eip712} from "../../../contracts/libraries/Eip712.sol";
import {PicoloHashes} from "../../../contracts/libraries/PicoloHashes.sol";

/// @dev The cheatcodes that these tests use.
interface Vm {
    function addr(uint256 key) external pure returns (address);
    function assume(bool condition) external pure;
    function chainId(uint256 id) external;
    function computeCreateAddress(address deployer, uint256 nonce) external pure returns (address);
    function deal(address account, uint256 balance) external;
    function expectRevert(bytes4 selector) external;
    function expectRevert(bytes calldata data) external;
    function expectRevert() external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function getNonce(address account) external view returns (uint64);
    function prank(address sender) external;
    function sign(uint256 key, bytes32 digest) external pure returns (uint8 v, bytes32 r, bytes32 s);
    function warp(uint256 time) external;
}

/**
 * @title A deployed network and what tests ask of it
 * @dev The test contract itself is admin, distributor and genesis slasher, so it can slash at will.
 */
abstract contract Base {
    Vm internal constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    uint256 internal constant UNBONDING = 22 days;

    PintToken internal pint;
    StakeVault internal vault;
    SystemParams internal params;
    Authority internal authority;
    NodeRegistry internal nodes;
    ClusterRegistry internal clusters;
    SlasherConsensus internal slasher;
    PaymentChannels internal channels;
    ClusterSplitter internal splitter;
    AccessDeposits internal access;
    CheckpointAnchor internal anchors;
    QueryOracle internal oracle;
    DataMarket internal market;

    function deployAll() internal {
        vm.warp(1_800_000_000);
        uint256 nonce = vm.getNonce(address(this));
        address authorityAt = vm.computeCreateAddress(address(this), nonce + 3);
        address nodesAt = vm.computeCreateAddress(address(this), nonce + 4);
        address clustersAt = vm.computeCreateAddress(address(this), nonce + 5);
        address splitterAt = vm.computeCreateAddress(address(this), nonce + 8);
        address[] memory slashers = new address[](2);
        (slashers[0], slashers[1]) = (vm.computeCreateAddress(address(this), nonce + 6), address(this));
        PintToken.Grant[] memory grants = new PintToken.Grant[](1);
        grants[0] = PintToken.Grant(address(this), 1e27, 0, 0);
        pint = PintToken(create("PintToken", abi.encode(authorityAt, grants)));
        VaultModules.Periods memory periods = VaultModules.Periods(UNBONDING, 14 days, 7 days);
        vault = StakeVault(create("StakeVault", abi.encode(pint, nodesAt, address(this), periods, slashers)));
        params = SystemParams(create("SystemParams", abi.encode(authorityAt, vault, pint, genesis())));
        authority = Authority(create("Authority", abi.encode(address(this), address(0), new address[](0), vault, params, pint)));
        nodes = NodeRegistry(create("NodeRegistry", abi.encode(vault, params, clustersAt, splitterAt)));
        clusters = ClusterRegistry(create("ClusterRegistry", abi.encode(vault, nodes, params)));
        slasher = SlasherConsensus(create("SlasherConsensus", abi.encode(vault, clusters)));
        channels = PaymentChannels(create("PaymentChannels", abi.encode(vault)));
        splitter = ClusterSplitter(payable(create("ClusterSplitter", abi.encode(channels, clusters, vault, nodes))));
        access = AccessDeposits(create("AccessDeposits", abi.encode(pint)));
        anchors = CheckpointAnchor(create("CheckpointAnchor", abi.encode(vault, clusters)));
        oracle = QueryOracle(create("QueryOracle", abi.encode(vault, clusters)));
        market = DataMarket(create("DataMarket", ""));
    }

    function genesis() internal pure returns (SystemParams.Genesis memory) {
        return SystemParams.Genesis(
            ISystemParams.StakeRates(1_000e18, 1e18, 50e18), ISystemParams.FeeLock(10_000, 14 days),
            ISystemParams.Ladder(90 days, 100e18), ISystemParams.Draw(64)
        );
    }

    /// @dev From the artifact, so that tests do not carry the contracts' code themselves.
    function create(string memory name, bytes memory args) internal returns (address made) {
        bytes memory code = bytes.concat(vm.getCode(string.concat("contracts/", name, ".sol:", name)), args);
        assembly ("memory-safe") {
            made := create(0, add(code, 0x20), mload(code))
        }
        require(made != address(0), name);
    }

    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        return Eip712.digest(Eip712.separator(address(vault)), structHash);
    }

    function signed(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(structHash));
        return abi.encodePacked(r, s, v);
    }

    function compact(uint256 key, bytes32 structHash) internal view returns (bytes32, bytes32) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(structHash));
        return (r, bytes32(uint256(s) | (uint256(v - 27) << 255)));
    }

    /// @dev A node of `owner` with `stake` wei.
    function newNode(uint256 key, address owner, uint256 stake) internal returns (address node) {
        node = vm.addr(key);
        bytes memory consent = signed(key, PicoloHashes.hash(PicoloHashes.NodeKey(node, owner, node)));
        vm.prank(owner);
        vault.register(node, consent);
        stakeFor(node, stake);
    }

    function stakeFor(address node, uint256 stake) internal {
        if (stake != 0) {
            pint.approve(address(vault), stake);
            vault.depositFor(node, stake);
        }
    }

    function stakeOf(address node) internal view returns (uint256) {
        StakeVault.Account memory account = vault.accountOf(node);
        return uint256(account.active) + account.pending;
    }

    /// @dev `value` folded into [low, high].
    function bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return high - low == type(uint256).max ? value : low + value % (high - low + 1);
    }

    function eq(uint256 a, uint256 b, string memory what) internal pure {
        require(a == b, what);
    }

    function ok(bool condition, string memory what) internal pure {
        require(condition, what);
    }
}
