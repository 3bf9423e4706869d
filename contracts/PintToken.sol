// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC20Votes} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Votes.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {RateLimiter} from "@openzeppelin/contracts/utils/RateLimiter.sol";
import {PintVesting} from "./PintVesting.sol";

/**
 * @title PINT, the work token of Picolo
 * @notice ERC-20 with permit (ERC-2612) and votes (ERC-5805, clock in seconds). The supply of genesis is handed out in the
 * constructor, partly through vesting wallets. Governance may mint at most two percent of it in any year, and never beyond
 * MAX_SUPPLY. Burning is for everybody's own balance: the vault burns what slashing takes.
 * @dev Nobody's votes are delegated by themselves: a transfer between accounts without delegates writes no
 * checkpoint. MAX_SUPPLY is below 2^90, which is why amounts of stake fit uint96 everywhere.
 */
contract PintToken is ERC20, ERC20Permit, ERC20Votes {
    using RateLimiter for RateLimiter.SlidingWindow;

    /// @dev A part of the genesis supply. Without a duration it is liquid at once; times in seconds from genesis.
    struct Grant {
        address to;
        uint256 amount;
        uint64 duration;
        uint64 cliff;
    }

    event Granted(address indexed to, address indexed holder, uint256 amount, uint256 duration, uint256 cliff);

    error WrongDistribution(uint256 granted);
    error NotMinter(address caller);
    error BeyondMaxSupply(uint256 supply);

    /// @notice Supply at genesis, in wei.
    uint256 public constant GENESIS_SUPPLY = 1e9 * 1e18;
    /// @notice More than this never exists, in wei.
    uint256 public constant MAX_SUPPLY = 12e8 * 1e18;
    /// @notice Most that can be minted within any MINT_WINDOW, in wei: two percent of genesis.
    uint208 public constant MINT_LIMIT = uint208(GENESIS_SUPPLY / 50);
    /// @notice Seconds.
    uint48 public constant MINT_WINDOW = 365 days;

    /// @notice The authority; only it mints.
    address public immutable MINTER;

    RateLimiter.SlidingWindow private _mintLimit;

    /**
     * @param minter the authority
     * @param grants the whole genesis supply, exactly
     */
    constructor(address minter, Grant[] memory grants) ERC20("Picolo Integrity Token", "PINT") ERC20Permit("Picolo Integrity Token") {
        MINTER = minter;
        _mintLimit.updateSettings(MINT_WINDOW, MINT_LIMIT);
        for (uint256 i = 0; i < grants.length; ++i) {
            _grant(grants[i]);
        }
        if (totalSupply() != GENESIS_SUPPLY) {
            revert WrongDistribution(totalSupply());
        }
    }

    /**
     * @notice Mints `amount` to `to`.
     * Requirements: the caller is MINTER; at most MINT_LIMIT within any MINT_WINDOW; the supply stays within MAX_SUPPLY.
     */
    function mint(address to, uint256 amount) external {
        if (msg.sender != MINTER) {
            revert NotMinter(msg.sender);
        }
        _mintLimit.consume(0, amount);
        _mint(to, amount);
        if (totalSupply() > MAX_SUPPLY) {
            revert BeyondMaxSupply(totalSupply());
        }
    }

    /**
     * @notice Destroys `amount` of the caller's tokens.
     * Effects: balance of the caller and total supply fall by `amount`.
     * Requirements: the caller has them.
     */
    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }

    /// @notice What can be minted now, in wei.
    function mintable() external view returns (uint256) {
        return _mintLimit.available(0);
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

    function _grant(Grant memory part) private {
        address holder = part.to;
        if (part.duration != 0) {
            holder = address(new PintVesting(part.to, uint64(block.timestamp), part.duration, part.cliff));
        }
        _mint(holder, part.amount);
        emit Granted(part.to, holder, part.amount, part.duration, part.cliff);
    }

    function _update(address from, address to, uint256 value) internal override(ERC20, ERC20Votes) {
        super._update(from, to, value);
    }
}
