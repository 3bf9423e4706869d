// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Tries many calls in one, each from the same state
contract Probe {
    error Outcome(bool done, bytes result);

    /// @notice Whether each call to `target` would succeed now, and what it returned or reverted with.
    function tryAll(address target, bytes[] calldata calls) external returns (bool[] memory done, bytes[] memory results) {
        (done, results) = (new bool[](calls.length), new bytes[](calls.length));
        for (uint256 i = 0; i < calls.length; ++i) {
            try this.probe(target, calls[i]) {}
            catch (bytes memory outcome) {
                (done[i], results[i]) = abi.decode(_withoutSelector(outcome), (bool, bytes));
            }
        }
    }

    /// @notice Always reverts: nothing that the call changed stays.
    function probe(address target, bytes calldata data) external {
        (bool done, bytes memory result) = target.call(data);
        revert Outcome(done, result);
    }

    /// @dev The same memory, begun four bytes later: nothing is copied.
    function _withoutSelector(bytes memory data) private pure returns (bytes memory rest) {
        assembly ("memory-safe") {
            rest := add(data, 4)
            mstore(rest, sub(mload(data), 4))
        }
    }
}
