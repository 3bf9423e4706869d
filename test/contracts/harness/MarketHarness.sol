// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {OneTimeKey} from "../../../contracts/libraries/OneTimeKey.sol";

/// @title The market's cryptography, callable from a test
contract MarketHarness {
    function derive(uint256 secret, uint256 x, uint256 y, uint256 sharedX, uint256 sharedY, bytes32 purchase)
        external
        pure
        returns (address own, address shared, address claimed, bytes32 mask)
    {
        return (
            OneTimeKey.publicAddress(secret), OneTimeKey.sharedAddress(secret, x, y), OneTimeKey.addressOf(sharedX, sharedY),
            OneTimeKey.mask(sharedX, sharedY, purchase)
        );
    }
}

/// @title A token of which everybody has any amount
contract EndlessToken is ERC20("Endless", "END") {
    function transferFrom(address, address to, uint256 value) public override returns (bool) {
        _mint(to, value);
        return true;
    }
}
