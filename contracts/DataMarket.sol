// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IDataMarket} from "./interfaces/IDataMarket.sol";
import {OneTimeKey} from "./libraries/OneTimeKey.sol";
import {Payouts} from "./libraries/Payouts.sol";

/**
 * @title Selling decryption without trusting anybody (Picolo §3.2, §5.4.2, §6.4)
 * @notice A provider sells the key of encrypted data. The buyer pays into escrow and names a one-time public key; the provider posts the
 * key, hidden under their Diffie-Hellman secret; a buyer who finds a wrong key reveals its one-time secret, and the contract itself
 * sees that the key is wrong: price back, bond to the buyer. Nobody judges.
 *
 * @dev The contract judges the key against the commitment, not the data behind it: whether the key opens what the policy says is a
 * question of quality. Invariant: the pools of listings, the price and bond of every purchase that is paid or delivered,
 * and owed ether are covered by the balance.
 */
contract DataMarket is IDataMarket, Payouts {
    using SafeCast for uint256;

    /// @notice From a purchase until its key is due, in seconds.
    uint256 public constant DELIVERY_TIME = 24 hours;
    /// @notice From a delivery until it counts as accepted, in seconds.
    uint256 public constant COMPLAINT_TIME = 24 hours;
    /// @notice Best rating.
    uint256 public constant MAX_STARS = 5;

    mapping(bytes32 listing => Listing) private _listings;
    mapping(bytes32 purchase => Purchase) private _purchases;
    /// @notice What buyers said of a provider.
    mapping(address provider => Reputation) public reputationOf;

    // ---- provider

    /**
     * @notice Offers a key for sale.
     * Effects: the listing is open; what arrived of `pool` stands behind its purchases, one bond each.
     * Requirements: the caller is the provider; these terms are new; the point is one of the curve; `keyCommit` is not zero.
     * @return listing hash of the terms
     */
    function list(Terms calldata terms, uint256 pool) external payable nonReentrant returns (bytes32 listing) {
        if (terms.provider != msg.sender) {
            revert NotProvider(msg.sender);
        }
        if (!OneTimeKey.isPoint(terms.pointX, terms.pointY)) {
            revert BadPoint();
        }
        if (terms.keyCommit == 0) {
            revert ZeroCommit();
        }
        listing = listingId(terms);
        if (_listings[listing].listedAt != 0) {
            revert ListingExists(listing);
        }
        uint256 received = _receive(terms.token, pool);
        _listings[listing] = Listing(received.toUint128(), uint40(block.timestamp), true);
        emit Listed(listing, msg.sender, terms.policy, terms, received);
    }

    /// @notice Adds to the pool of bonds. Anybody may. Requirements: the listing is open; something arrives.
    function fundBond(Terms calldata terms, uint256 amount) external payable nonReentrant {
        (bytes32 listing, Listing storage record) = _open(terms);
        uint256 received = _receive(terms.token, amount);
        if (received == 0) {
            revert ZeroAmount();
        }
        record.pool += received.toUint128();
        emit BondFunded(listing, received, record.pool);
    }

    /**
     * @notice Ends a listing for good.
     * Effects: no more purchases; the pool goes back, bonds of running purchases when they end.
     * Requirements: the caller is the provider; the listing is open.
     */
    function delist(Terms calldata terms) external nonReentrant {
        if (terms.provider != msg.sender) {
            revert NotProvider(msg.sender);
        }
        (bytes32 listing, Listing storage record) = _open(terms);
        uint256 pool = record.pool;
        (record.open, record.pool) = (false, 0);
        emit Delisted(listing, pool);
        if (pool != 0) {
            _pay(terms.token, msg.sender, pool);
        }
    }

    /**
     * @notice Hands over the key, hidden: `cipher` = key xor keccak(b·P ‖ purchase).
     * Effects: the buyer has COMPLAINT_TIME to complain.
     * Requirements: the caller is the provider; the purchase waits for its key; it is not late.
     */
    function deliver(Terms calldata terms, address buyerKey, bytes32 cipher) external {
        if (terms.provider != msg.sender) {
            revert NotProvider(msg.sender);
        }
        (bytes32 id, Purchase storage purchase) = _in(State.Paid, terms, buyerKey);
        if (block.timestamp > purchase.until) {
            revert TooLate(purchase.until);
        }
        uint256 until = block.timestamp + COMPLAINT_TIME;
        (purchase.state, purchase.until, purchase.cipher) = (State.Delivered, uint40(until), cipher);
        emit KeyDelivered(id, cipher, until);
    }

    // ---- buyer

    /**
     * @notice Pays for the key into escrow.
     * Effects: one bond of the pool stands behind this purchase until it ends.
     * Requirements: the listing is open and its pool has a bond; exactly the price arrives; the point is the buyer's one-time
     * public key, never used for this listing before.
     * @param amount what is sent; more than the price for a token that keeps a fee
     * @return id of the purchase: hash of the listing and the address of the one-time key
     */
    function buy(Terms calldata terms, uint256 pointX, uint256 pointY, uint256 amount) external payable nonReentrant returns (bytes32 id) {
        (bytes32 listing, Listing storage record) = _open(terms);
        if (!OneTimeKey.isPoint(pointX, pointY)) {
            revert BadPoint();
        }
        id = purchaseId(listing, OneTimeKey.addressOf(pointX, pointY));
        if (_purchases[id].state != State.None) {
            revert PointUsed(id);
        }
        if (record.pool < terms.bond) {
            revert BondExhausted(record.pool, terms.bond);
        }
        record.pool -= terms.bond;
        uint256 until = block.timestamp + DELIVERY_TIME;
        _purchases[id] = Purchase(msg.sender, uint40(until), State.Paid, false, 0);
        uint256 received = _receive(terms.token, amount);
        if (received != terms.price) {
            revert WrongAmount(received, terms.price);
        }
        emit Bought(id, listing, msg.sender, pointX, pointY, until);
    }

    /**
     * @notice Shows that the delivered key is wrong. The contract decides at once. Anybody who knows the secret may; the money is the buyer's.
     * Effects: price and bond go to the buyer; the one-time secret is public from now on.
     * Requirements: the key was delivered and the time to complain is not over; `secret`·G is the purchase's one-time key;
     * (sharedX, sharedY) = `secret`·P; the key that they uncover is not the committed one.
     */
    function complain(Terms calldata terms, uint256 secret, uint256 sharedX, uint256 sharedY) external nonReentrant {
        address buyerKey = OneTimeKey.publicAddress(secret);
        if (buyerKey == address(0) || OneTimeKey.sharedAddress(secret, terms.pointX, terms.pointY) != OneTimeKey.addressOf(sharedX, sharedY)) {
            revert BadSecret();
        }
        (bytes32 id, Purchase storage purchase) = _in(State.Delivered, terms, buyerKey);
        if (block.timestamp > purchase.until) {
            revert TooLate(purchase.until);
        }
        bytes32 key = purchase.cipher ^ OneTimeKey.mask(sharedX, sharedY, id);
        if (keccak256(abi.encode(key)) == terms.keyCommit) {
            revert KeyIsCorrect();
        }
        purchase.state = State.Convicted;
        ++reputationOf[terms.provider].convictions;
        emit Convicted(id, terms.provider, terms.price, terms.bond);
        _pay(terms.token, purchase.buyer, uint256(terms.price) + terms.bond);
    }

    /**
     * @notice Gives the price back when no key came in time. Anybody may.
     * Effects: the bond is the provider's again: being late costs the sale, not the bond.
     * Requirements: the purchase waits for its key; the time for it is over.
     */
    function reclaim(Terms calldata terms, address buyerKey) external nonReentrant {
        (bytes32 id, Purchase storage purchase) = _in(State.Paid, terms, buyerKey);
        if (block.timestamp <= purchase.until) {
            revert TooEarly(purchase.until);
        }
        purchase.state = State.Returned;
        emit Returned(id, terms.price);
        uint256 rest = _releaseBond(terms);
        _payUnlessZero(terms.token, purchase.buyer, terms.price);
        _payUnlessZero(terms.token, terms.provider, rest);
    }

    /**
     * @notice Pays the provider. The buyer may at once, anybody when the time to complain is over.
     * Effects: the price is the provider's; the bond goes back to the pool, or to the provider when the listing has ended.
     * Requirements: the key was delivered; the caller is the buyer, or the time to complain is over.
     */
    function settle(Terms calldata terms, address buyerKey) external nonReentrant {
        (bytes32 id, Purchase storage purchase) = _in(State.Delivered, terms, buyerKey);
        if (block.timestamp <= purchase.until && msg.sender != purchase.buyer) {
            revert TooEarly(purchase.until);
        }
        purchase.state = State.Settled;
        ++reputationOf[terms.provider].sales;
        emit Settled(id, terms.price);
        _payUnlessZero(terms.token, terms.provider, terms.price + _releaseBond(terms));
    }

    /**
     * @notice Says how good the data were, once for a settled purchase.
     * Requirements: the caller is the buyer; 1 to MAX_STARS.
     */
    function rate(Terms calldata terms, address buyerKey, uint256 stars) external {
        (bytes32 id, Purchase storage purchase) = _in(State.Settled, terms, buyerKey);
        if (msg.sender != purchase.buyer) {
            revert NotBuyer(msg.sender);
        }
        if (stars == 0 || stars > MAX_STARS) {
            revert BadStars(stars);
        }
        if (purchase.rated) {
            revert WrongState(id, State.Settled);
        }
        purchase.rated = true;
        Reputation storage reputation = reputationOf[terms.provider];
        reputation.ratings += 1;
        reputation.stars += uint64(stars);
        emit Rated(terms.provider, id, stars);
    }

    // ---- views

    /// @notice Name of a listing: the hash of its terms, this contract and the chain.
    function listingId(Terms calldata terms) public view returns (bytes32) {
        return keccak256(abi.encode("picolo.listing", block.chainid, address(this), terms));
    }

    /// @notice Name of a purchase: of which listing, with which one-time key.
    function purchaseId(bytes32 listing, address buyerKey) public pure returns (bytes32) {
        return keccak256(abi.encode("picolo.purchase", listing, buyerKey));
    }

    /// @notice State of a listing.
    function listingOf(bytes32 listing) external view returns (Listing memory) {
        return _listings[listing];
    }

    /// @notice State of a purchase.
    function purchaseOf(bytes32 purchase) external view returns (Purchase memory) {
        return _purchases[purchase];
    }

    // ---- inside

    function _open(Terms calldata terms) private view returns (bytes32 listing, Listing storage record) {
        listing = listingId(terms);
        record = _listings[listing];
        if (!record.open) {
            revert NotListed(listing);
        }
    }

    /// @dev The purchase with this one-time key, which must be in `state`.
    function _in(State state, Terms calldata terms, address buyerKey) private view returns (bytes32 id, Purchase storage purchase) {
        id = purchaseId(listingId(terms), buyerKey);
        purchase = _purchases[id];
        if (purchase.state != state) {
            revert WrongState(id, purchase.state);
        }
    }

    /// @dev Puts a bond back into the pool; returns what must be paid out instead because the listing has ended.
    function _releaseBond(Terms calldata terms) private returns (uint256) {
        Listing storage record = _listings[listingId(terms)];
        if (!record.open) {
            return terms.bond;
        }
        record.pool += terms.bond;
        return 0;
    }

    function _payUnlessZero(address token, address to, uint256 amount) private {
        if (amount != 0) {
            _pay(token, to, amount);
        }
    }
}
