// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataMarket} from "../../../contracts/interfaces/IDataMarket.sol";
import {OneTimeKey} from "../../../contracts/libraries/OneTimeKey.sol";
import {Base} from "./Base.sol";

/// @dev A provider with a fixed key pair (2·G) and a buyer whose secret is small enough for known points.
contract MarketFuzz is Base {
    address private constant PROVIDER = address(0x9909);
    address private constant BUYER = address(0xB0B);
    bytes32 private constant KEY = keccak256("key");
    uint256 private constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
    // G, 2·G, 4·G and 6·G
    uint256 private constant G_X = 0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798;
    uint256 private constant G_Y = 0x483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8;
    uint256 private constant G2_X = 0xc6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5;
    uint256 private constant G2_Y = 0x1ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a;
    uint256 private constant G4_X = 0xe493dbf1c10d80f3581e4904930b1404cc6c13900ee0758474fa94abe8c4cd13;
    uint256 private constant G4_Y = 0x51ed993ea0d455b75642e2098ea51448d967ae33bfbdfe40cfe97bdc47739922;

    function setUp() public {
        deployAll();
        vm.deal(PROVIDER, 1e24);
        vm.deal(BUYER, 1e24);
    }

    function terms(uint96 price, uint96 bond) private pure returns (IDataMarket.Terms memory) {
        return IDataMarket.Terms(PROVIDER, address(0), price, bond, keccak256(abi.encode(KEY)), "policy", G2_X, G2_Y, 0);
    }

    function listed(uint96 price, uint96 bond) private returns (IDataMarket.Terms memory t, bytes32 id) {
        t = terms(price, bond);
        vm.prank(PROVIDER);
        bytes32 listing = market.list{value: bond}(t, bond);
        vm.prank(BUYER);
        id = market.buy{value: price}(t, G2_X, G2_Y, price);
        eq(uint256(id), uint256(market.purchaseId(listing, vm.addr(2))), "id of the purchase");
    }

    /// @dev b·P = 2·2·G.
    function maskOf(bytes32 id) private pure returns (bytes32) {
        return OneTimeKey.mask(G4_X, G4_Y, id);
    }

    function testFuzz_addressesOfMultiples(uint256 secret) public pure {
        secret = bound(secret, 1, ORDER - 1);
        eq(uint160(OneTimeKey.publicAddress(secret)), uint160(vm.addr(secret)), "secret * G");
        eq(uint160(OneTimeKey.sharedAddress(secret, G_X, G_Y)), uint160(vm.addr(secret)), "secret * G as any point");
        uint256 doubled = mulmod(secret, 2, ORDER);
        eq(uint160(OneTimeKey.sharedAddress(secret, G2_X, G2_Y)), uint160(vm.addr(doubled)), "secret * 2G");
    }

    function testFuzz_scalarsThatAreNoSecretsGiveNobody(uint256 secret) public pure {
        secret = bound(secret, ORDER, type(uint256).max);
        eq(uint160(OneTimeKey.publicAddress(secret)), 0, "nobody");
        eq(uint160(OneTimeKey.publicAddress(0)), 0, "nobody at zero");
    }

    function testFuzz_onlyPointsOfTheCurve(uint256 x, uint256 y) public pure {
        // the fuzzer knows the constants of this file
        vm.assume(x != G_X && x != G2_X && x != G4_X);
        ok(!OneTimeKey.isPoint(x, y), "random words are no point");
        ok(OneTimeKey.isPoint(G4_X, G4_Y) && !OneTimeKey.isPoint(G4_X, G4_Y ^ 1), "4G is one");
    }

    function testFuzz_wrongKeysConvict(bytes32 wrong, uint96 price, uint96 bond) public {
        vm.assume(wrong != KEY);
        (IDataMarket.Terms memory t, bytes32 id) = listed(uint96(bound(price, 0, 1e22)), uint96(bound(bond, 0, 1e22)));
        vm.prank(PROVIDER);
        market.deliver(t, vm.addr(2), wrong ^ maskOf(id));
        uint256 before = BUYER.balance;
        market.complain(t, 2, G4_X, G4_Y);
        eq(BUYER.balance - before, uint256(t.price) + t.bond, "price and bond");
        eq(address(market).balance, 0, "nothing is left");
    }

    function testFuzz_rightKeysNeverConvict(uint96 price, uint96 bond, uint256 wait) public {
        (IDataMarket.Terms memory t, bytes32 id) = listed(uint96(bound(price, 1, 1e22)), uint96(bound(bond, 1, 1e22)));
        vm.prank(PROVIDER);
        market.deliver(t, vm.addr(2), KEY ^ maskOf(id));
        vm.warp(block.timestamp + bound(wait, 0, market.COMPLAINT_TIME()));
        vm.expectRevert(IDataMarket.KeyIsCorrect.selector);
        market.complain(t, 2, G4_X, G4_Y);
        uint256 before = PROVIDER.balance;
        vm.prank(BUYER);
        market.settle(t, vm.addr(2));
        eq(PROVIDER.balance - before, t.price, "price");
    }

    function testFuzz_complaintsNeedTheRealSecretAndPoint(uint256 secret, uint256 x, uint256 y) public {
        (IDataMarket.Terms memory t,) = listed(1, 1);
        vm.prank(PROVIDER);
        market.deliver(t, vm.addr(2), 0);
        vm.assume(secret != 2 && (x != G4_X || y != G4_Y));
        vm.expectRevert();
        market.complain(t, secret, G4_X, G4_Y);
        vm.expectRevert(IDataMarket.BadSecret.selector);
        market.complain(t, 2, x, y);
    }

    function testFuzz_everyTermNamesTheListing(uint96 price, uint96 bond, bytes32 commit, bytes32 policy, bytes32 salt) public view {
        IDataMarket.Terms memory t = terms(5, 6);
        IDataMarket.Terms memory other = terms(price, bond);
        (other.keyCommit, other.policy, other.salt) = (commit, policy, salt);
        bool same = keccak256(abi.encode(other)) == keccak256(abi.encode(t));
        ok((market.listingId(other) == market.listingId(t)) == same, "id");
    }

    function testFuzz_lateKeysReturnThePriceAndTheBond(uint96 price, uint96 bond, uint256 wait) public {
        (IDataMarket.Terms memory t,) = listed(uint96(bound(price, 1, 1e22)), uint96(bound(bond, 1, 1e22)));
        uint256 waited = bound(wait, 0, 3 days);
        vm.warp(block.timestamp + waited);
        bool late = waited > market.DELIVERY_TIME();
        uint256 before = BUYER.balance;
        if (!late) {
            vm.expectRevert();
        }
        market.reclaim(t, vm.addr(2));
        eq(BUYER.balance - before, late ? t.price : 0, "refund");
        eq(market.listingOf(market.listingId(t)).pool, late ? t.bond : 0, "bond");
    }
}
