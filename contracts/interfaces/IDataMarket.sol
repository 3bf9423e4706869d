// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Terms, events and errors of the data market
interface IDataMarket {
    /**
     * @dev What is sold; a listing is named by the hash of its terms, so none of them can change. `price` and `bond` in wei of
     * `token` (zero is ether); `keyCommit` = keccak of the 32-byte key; `policy` = hash of what the key opens (market §2); the point
     * is the provider's public key for deliveries.
     */
    struct Terms {
        address provider;
        address token;
        uint96 price;
        uint96 bond;
        bytes32 keyCommit;
        bytes32 policy;
        uint256 pointX;
        uint256 pointY;
        bytes32 salt;
    }

    enum State { None, Paid, Delivered, Settled, Returned, Convicted }

    /// @dev One slot. `pool` is the provider's money for bonds of purchases to come.
    struct Listing {
        uint128 pool;
        uint40 listedAt;
        bool open;
    }

    /// @dev Two slots. `until`: the end of the running period, unix seconds.
    struct Purchase {
        address buyer;
        uint40 until;
        State state;
        bool rated;
        bytes32 cipher;
    }

    /// @dev One slot: what buyers said of a provider, and how often it was convicted.
    struct Reputation {
        uint64 sales;
        uint64 ratings;
        uint64 stars;
        uint64 convictions;
    }

    event Listed(bytes32 indexed listing, address indexed provider, bytes32 indexed policy, Terms terms, uint256 pool);
    event BondFunded(bytes32 indexed listing, uint256 amount, uint256 pool);
    event Delisted(bytes32 indexed listing, uint256 returned);
    /// @dev The point is the buyer's one-time public key; `until` is when a delivery is due.
    event Bought(bytes32 indexed purchase, bytes32 indexed listing, address indexed buyer, uint256 pointX, uint256 pointY, uint256 until);
    event KeyDelivered(bytes32 indexed purchase, bytes32 cipher, uint256 until);
    event Convicted(bytes32 indexed purchase, address indexed provider, uint256 refund, uint256 bond);
    event Returned(bytes32 indexed purchase, uint256 refund);
    event Settled(bytes32 indexed purchase, uint256 price);
    event Rated(address indexed provider, bytes32 indexed purchase, uint256 stars);

    error BadPoint();
    error NotProvider(address caller);
    error NotBuyer(address caller);
    error ZeroCommit();
    error ListingExists(bytes32 listing);
    error NotListed(bytes32 listing);
    error BondExhausted(uint256 pool, uint256 bond);
    error WrongAmount(uint256 received, uint256 price);
    error PointUsed(bytes32 purchase);
    error WrongState(bytes32 purchase, State state);
    error TooLate(uint256 until);
    error TooEarly(uint256 until);
    error BadSecret();
    error KeyIsCorrect();
    error BadStars(uint256 stars);
}
