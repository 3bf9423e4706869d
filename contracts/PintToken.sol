// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";

/**
 * @title PINT, the work token of Picolo
 * @notice ERC-20 with permit (ERC-2612) and votes (ERC-5805, clock in seconds). The whole supply exists from the first
 * block; nobody can mint. Burning is for everybody's own balance: the vault burns what slashing takes.
 * @dev Nobody's votes are delegated by themselves: a transfer between accounts without delegates writes no
 * checkpoint. 1e9 * 1e18 fits uint96, which is why amounts of stake are uint96 everywhere.
 */
contract PintToken is ERC20, ERC20Permit, ERC20Votes {
    /// @notice Supply at genesis, in wei: it can only fall.
    uint256 public constant GENESIS_SUPPLY = 1e9 * 1e18;

    /// @param distributor receives the genesis supply
    constructor(address distributor) ERC20("Picolo Integrity Token", "PINT") ERC20Permit("Picolo Integrity Token") {
        _mint(distributor, GENESIS_SUPPLY);
    }

    /**
     * @notice Destroys `amount` of the caller's tokens.
     * Effects: balance of the caller and total supply fall by `amount`.
     * Requirements: the caller has them.
     */
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }

    /// @notice Timestamps, not blocks: the same on every chain (ERC-6372).
    function clock() public view override returns (uint48) {
        return uint48(block.timestamp);
    }

    /// @notice Description of the clock (ERC-6372).
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    /// @inheritdoc ERC20Permit
    function nonces(address owner) public view override(ERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
