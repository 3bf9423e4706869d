// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that keeps a tenth of every transfer
contract FeeToken is ERC20("Fee", "FEE") {
    constructor() {
        _mint(msg.sender, 1e24);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) {
            super._update(to, address(0xdead), value / 10);
        }
    }
}

/// @title A token that answers false instead of reverting
contract FalseToken is ERC20("False", "FLS") {
    bool public refuse;

    constructor() {
        _mint(msg.sender, 1e24);
    }

    function setRefuse(bool value) external {
        refuse = value;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        return refuse ? false : super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        return refuse ? false : super.transferFrom(from, to, value);
    }
}

/// @title A token whose balances all follow an index that anybody sets
contract RebasingToken is ERC20("Rebasing", "REB") {
    uint256 public percent = 100;

    constructor() {
        _mint(msg.sender, 1e24);
    }

    function rebase(uint256 to) external {
        percent = to;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return super.balanceOf(account) * percent / 100;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value * 100 / percent);
    }
}

/// @title A token that calls a target in the middle of a transfer
contract HookToken is ERC20("Hook", "HOK") {
    address public target;
    bytes public payload;
    bool public answered;
    bytes public answer;

    constructor() {
        _mint(msg.sender, 1e24);
    }

    function arm(address to, bytes calldata data) external {
        (target, payload) = (to, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (target != address(0)) {
            (answered, answer) = target.call(payload);
        }
    }
}

/// @title A payee that refuses ether until told otherwise, and tries to collect again when it gets some
contract BadPayee {
    bool public accept;
    bytes public payload;
    address public target;
    bool public reentered;

    function setAccept(bool value) external {
        accept = value;
    }

    function arm(address to, bytes calldata data) external {
        (target, payload) = (to, data);
    }

    receive() external payable {
        require(accept, "no");
        if (target != address(0)) {
            (reentered,) = target.call(payload);
        }
    }
}
