// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Numbers of offences in `Slashed` events, one for each name; never used again for another
library Offences {
    uint8 internal constant VOTE_CONFLICT = 1;
    uint8 internal constant DOUBLE_BLOCK_VOTE = 2;
    uint8 internal constant DOUBLE_PROPOSAL = 3;
    uint8 internal constant FALSE_CHECKPOINT = 4;
    uint8 internal constant FALSE_ANSWER = 5;
    uint8 internal constant FORGED_ROW = 6;
    uint8 internal constant LOCK_REGRESS = 7;
    uint8 internal constant RANK_UNDERREPORT = 8;
    uint8 internal constant ACK_FORK = 9;
    uint8 internal constant ACK_THEN_CONSUME = 10;
    uint8 internal constant FORKED_CERTIFICATES = 11;
    uint8 internal constant INVALID_ROW = 12;
    uint8 internal constant DOUBLE_DECISION = 13;
    uint8 internal constant FALSE_HISTORY = 14;
}
