// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A contract wallet that says yes to every signature, and no when it likes (ERC-1271)
contract YesWallet {
    bool public refuse;

    function setRefuse(bool value) external {
        refuse = value;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        return refuse ? bytes4(0) : this.isValidSignature.selector;
    }
}
