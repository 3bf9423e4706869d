// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/**
 * @title The one signature domain of Picolo
 * @notice Domain {name "Picolo", version "1", chain id, verifyingContract = StakeVault}. The vault's address is
 * used by every contract, so that replacing a slasher forgives nothing; the chain id is read at each
 * call, so that a fork of the chain does not inherit signatures.
 */
library Eip712 {
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME_HASH = keccak256("Picolo");
    bytes32 private constant VERSION_HASH = keccak256("1");

    /// @dev Separator for signatures under `vault` on the current chain.
    function separator(address vault) internal view returns (bytes32 result) {
        (bytes32 typeHash, bytes32 name, bytes32 version) = (DOMAIN_TYPEHASH, NAME_HASH, VERSION_HASH);
        assembly ("memory-safe") {
            let pos := mload(0x40) // scratch beyond the free pointer, not kept
            mstore(pos, typeHash)
            mstore(add(pos, 0x20), name)
            mstore(add(pos, 0x40), version)
            mstore(add(pos, 0x60), chainid())
            mstore(add(pos, 0x80), vault)
            result := keccak256(pos, 0xa0)
        }
    }

    /// @dev keccak(0x1901 ‖ separator ‖ structHash): what was signed.
    function digest(bytes32 domainSeparator, bytes32 structHash) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            let pos := mload(0x40)
            mstore(pos, hex"1901")
            mstore(add(pos, 0x02), domainSeparator)
            mstore(add(pos, 0x22), structHash)
            result := keccak256(pos, 0x42)
        }
    }
}
