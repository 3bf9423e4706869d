// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDataMarket} from "../../../contracts/interfaces/IDataMarket.sol";
import {DataMarket} from "../../../contracts/DataMarket.sol";
import {OneTimeKey} from "../../../contracts/libraries/OneTimeKey.sol";
import {Base, Vm} from "./Base.sol";

/// @dev Random lives of two listings, one in ether and one in a token, with their own books.
contract MarketHandler {
    Vm private constant vm = Vm(0x7109709ECfa91a80626fF3989D68f67F5b1DD12D);
    address private constant PROVIDER = address(0x9909);
    bytes32 private constant KEY = keccak256("key");
    uint256 private constant MOST = 24;
    // 2·G
    uint256 private constant G2_X = 0xc6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5;
    uint256 private constant G2_Y = 0x1ae168fea63dc339a3c58419466ceaeef7f632653266d0e1236431a950cfe52a;
    // 4·G, shared by 2·G and the secret 2
    uint256 private constant G4_X = 0xe493dbf1c10d80f3581e4904930b1404cc6c13900ee0758474fa94abe8c4cd13;
    uint256 private constant G4_Y = 0x51ed993ea0d455b75642e2098ea51448d967ae33bfbdfe40cfe97bdc47739922;

    DataMarket private immutable MARKET;
    /// @dev Ghost books, in wei of ether.
    uint256 public paidIn;
    uint256 public paidOut;
    uint256 public pools;
    uint256 public escrow;
    uint256 public convictions;
    uint256 public bondsLost;
    uint256 private _salt;
    IDataMarket.Terms[] private _terms;
    mapping(uint256 listing => IDataMarket.State) private _state;
    mapping(uint256 listing => bool) private _wrong;
    mapping(uint256 listing => bool) private _open;
    mapping(uint256 listing => uint256) private _pool;

    constructor(DataMarket market) {
        MARKET = market;
        vm.deal(PROVIDER, 1e30);
    }

    receive() external payable {}

    function listings() external view returns (uint256) {
        return _terms.length;
    }

    function poolOf(uint256 i) external view returns (uint256 ghost, uint256 real) {
        return (_pool[i], MARKET.listingOf(MARKET.listingId(_terms[i])).pool);
    }

    function stateOf(uint256 i) external view returns (IDataMarket.State ghost, IDataMarket.State real) {
        bytes32 id = MARKET.purchaseId(MARKET.listingId(_terms[i]), vm.addr(2));
        return (_state[i], MARKET.purchaseOf(id).state);
    }

    function list(uint96 price, uint96 bond, uint96 pool) external {
        if (_terms.length == MOST) {
            return;
        }
        IDataMarket.Terms memory t = IDataMarket.Terms(
            PROVIDER, address(0), price % 1e20, bond % 1e20, keccak256(abi.encode(KEY)), "policy", G2_X, G2_Y, bytes32(_salt++)
        );
        uint256 value = uint256(pool) % 2e20;
        vm.prank(PROVIDER);
        MARKET.list{value: value}(t, value);
        (paidIn, pools) = (paidIn + value, pools + value);
        (_open[_terms.length], _pool[_terms.length]) = (true, value);
        _terms.push(t);
    }

    function buy(uint256 pick) external {
        (uint256 i, bool any) = _pick(pick);
        if (!any || !_open[i] || _state[i] != IDataMarket.State.None || _pool[i] < _terms[i].bond) {
            return;
        }
        IDataMarket.Terms memory t = _terms[i];
        vm.deal(address(this), t.price);
        MARKET.buy{value: t.price}(t, G2_X, G2_Y, t.price);
        _state[i] = IDataMarket.State.Paid;
        _pool[i] -= t.bond;
        (paidIn, escrow, pools) = (paidIn + t.price, escrow + t.price + t.bond, pools - t.bond);
    }

    function deliver(uint256 pick, bool wrong) external {
        (uint256 i, bool any) = _pick(pick);
        if (!any || _state[i] != IDataMarket.State.Paid) {
            return;
        }
        IDataMarket.Terms memory t = _terms[i];
        bytes32 mask = OneTimeKey.mask(G4_X, G4_Y, MARKET.purchaseId(MARKET.listingId(t), vm.addr(2)));
        vm.prank(PROVIDER);
        MARKET.deliver(t, vm.addr(2), (wrong ? bytes32("wrong") : KEY) ^ mask);
        (_state[i], _wrong[i]) = (IDataMarket.State.Delivered, wrong);
    }

    function complain(uint256 pick) external {
        (uint256 i, bool any) = _pick(pick);
        if (!any || _state[i] != IDataMarket.State.Delivered || !_wrong[i]) {
            return;
        }
        IDataMarket.Terms memory t = _terms[i];
        MARKET.complain(t, 2, G4_X, G4_Y);
        _state[i] = IDataMarket.State.Convicted;
        uint256 out = uint256(t.price) + t.bond;
        (paidOut, escrow, convictions, bondsLost) = (paidOut + out, escrow - out, convictions + 1, bondsLost + t.bond);
    }

    /// @dev A complaint about a right key must never pass.
    function complainFalsely(uint256 pick) external {
        (uint256 i, bool any) = _pick(pick);
        if (!any || _state[i] != IDataMarket.State.Delivered || _wrong[i]) {
            return;
        }
        try MARKET.complain(_terms[i], 2, G4_X, G4_Y) {
            convictions = type(uint256).max;
        } catch {}
    }

    function settle(uint256 pick) external {
        (uint256 i, bool any) = _pick(pick);
        if (!any || _state[i] != IDataMarket.State.Delivered) {
            return;
        }
        MARKET.settle(_terms[i], vm.addr(2));
        _state[i] = IDataMarket.State.Settled;
        _end(i, _terms[i].price);
    }

    function reclaim(uint256 pick) external {
        (uint256 i, bool any) = _pick(pick);
        if (!any || _state[i] != IDataMarket.State.Paid) {
            return;
        }
        vm.warp(block.timestamp + MARKET.DELIVERY_TIME() + 1);
        MARKET.reclaim(_terms[i], vm.addr(2));
        _state[i] = IDataMarket.State.Returned;
        _end(i, _terms[i].price);
    }

    function delist(uint256 pick) external {
        (uint256 i, bool any) = _pick(pick);
        if (!any || !_open[i]) {
            return;
        }
        vm.prank(PROVIDER);
        MARKET.delist(_terms[i]);
        (paidOut, pools) = (paidOut + _pool[i], pools - _pool[i]);
        (_open[i], _pool[i]) = (false, 0);
    }

    /// @dev The price leaves escrow; the bond goes to the pool of an open listing, else it leaves too.
    function _end(uint256 i, uint256 price) private {
        uint256 bond = _terms[i].bond;
        escrow -= price + bond;
        paidOut += price;
        if (_open[i]) {
            (_pool[i], pools) = (_pool[i] + bond, pools + bond);
        } else {
            paidOut += bond;
        }
    }

    function _pick(uint256 pick) private view returns (uint256, bool) {
        return _terms.length == 0 ? (0, false) : (pick % _terms.length, true);
    }
}

contract MarketInvariants is Base {
    MarketHandler private handler;

    function setUp() public {
        deployAll();
        handler = new MarketHandler(market);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_escrowAndPoolsAreCovered() public view {
        eq(address(market).balance, handler.escrow() + handler.pools(), "balance = escrow + pools");
    }

    function invariant_nothingIsMadeOrLost() public view {
        eq(handler.paidIn(), handler.paidOut() + address(market).balance, "in = out + kept");
    }

    function invariant_poolsAndStatesAreThoseOfTheBooks() public view {
        for (uint256 i = 0; i < handler.listings(); ++i) {
            (uint256 ghost, uint256 real) = handler.poolOf(i);
            eq(ghost, real, "pool");
            (IDataMarket.State booked, IDataMarket.State state) = handler.stateOf(i);
            eq(uint256(booked), uint256(state), "state");
        }
    }

    function invariant_bondsAreLostByConvictionsAlone() public view {
        (,,, uint64 convictions) = market.reputationOf(address(0x9909));
        eq(convictions, handler.convictions(), "convictions");
        ok(handler.convictions() != 0 || handler.bondsLost() == 0, "no conviction, no loss");
    }
}
