// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Offences} from "./libraries/Offences.sol";
import {Packed} from "./libraries/Packed.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {SlasherBase} from "./SlasherBase.sol";

/**
 * @title Signatures under states that cannot both be the group's
 * @notice A checkpoint against the certified one, or two certificates of one height, which convict everybody who
 * signed both: more than f of the group at once. All of these are grave.
 *
 * @dev Formats are in docs/contracts/evidence.md; protocol/evidence encodes them and has the same predicates.
 */
contract SlasherCertificates is SlasherBase {
    /**
     * @param vault the stake vault
     * @param clusters the cluster registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters) SlasherBase(vault, clusters) {}

    /**
     * @notice A checkpoint signed by the accused against the certified one of the same height (E7).
     * Requirements: the other checkpoint has a certificate; state root or detail differ.
     */
    function reportFalseCheckpoint(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _openGrave(evidence);
        uint64 height = Packed.u64(pos);
        bytes32 certified;
        (certified, pos) = _certified(c, height, pos + 8);
        bytes32 claimed = PicoloHashes.hash(
            PicoloHashes.Checkpoint(c.group, c.epoch, height, Packed.word(pos), Packed.word(pos + 32))
        );
        if (claimed == certified) {
            revert NotConflicting();
        }
        _mustSign(c, claimed, pos + 64);
        Packed.finish(evidence, pos + 128);
        _punishGrave(c, Offences.FALSE_CHECKPOINT, evidence, beneficiary);
    }

    /**
     * @notice Two certificates of one height. Two quorums share more than f members, so all of those lose everything.
     * Effects: every member that signed both and has something left is convicted.
     * Requirements: both are certificates of the roster; state root or detail differ; the accused of the head signed both.
     */
    function reportForkedCertificates(bytes calldata evidence, address beneficiary) external {
        (Case memory c, uint256 pos) = _open(evidence);
        uint64 height = Packed.u64(pos);
        uint256 both = Packed.u64(pos + 72);
        (bytes32 first, uint256 second) = _certified(c, height, pos + 8);
        both &= Packed.u64(second + 64);
        bytes32 other;
        (other, pos) = _certified(c, height, second);
        Packed.finish(evidence, pos);
        if (first == other) {
            revert NotConflicting();
        }
        if ((both >> c.place) & 1 == 0) {
            revert SignerMismatch();
        }
        _punishAll(c, Offences.FORKED_CERTIFICATES, both, evidence, beneficiary);
    }
}
