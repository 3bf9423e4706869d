// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Packed} from "./libraries/Packed.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {SignatureLib} from "./libraries/SignatureLib.sol";

/**
 * @title Common rules of evidence (consensus §3.1)
 * @notice Evidence names a group and an epoch and brings that epoch's roster; the registry knows its hash and when it
 * ended. The accused is a place in the roster. What an offence costs is the vault's matter.
 *
 * Packed head of every evidence: group(32) ‖ epoch(8) ‖ size(1) ‖ accused index(1) ‖ roster(20 * size). Every field is
 * read from packed calldata, and every parser must stop exactly at the end of its evidence.
 */
abstract contract SlasherBase {
    /// @notice The registry does not know this roster for that group and epoch.
    error UnknownRoster();
    /// @notice The epoch ended longer ago than the evidence window.
    error EvidenceExpired(uint256 endedAt);
    /// @notice A signature is not the accused's.
    error SignerMismatch();
    /// @notice The node cannot lose more for this.
    error AlreadyPunished(address node);
    /// @notice The statements do not contradict each other.
    error NotConflicting();
    /// @notice A proof does not lead to the signed root.
    error BadProof();
    /// @notice There is no commitment to this evidence before the slash, or the conviction was another group's.
    error NotContested();
    /// @notice A vote does not accept the entry at that place.
    error NotAccepted(uint256 index);

    /// @notice Somebody may bring evidence with this hash, and did not have it from a pending transaction.
    event Committed(bytes32 indexed commitment);

    uint16 private constant ALL_BPS = 10_000;
    uint16 private constant GRAVE_REPORTER_BPS = 1_000;
    uint16 private constant CONSUMER_BPS = 2_000;

    /// @notice The vault: who is accountable, what it costs.
    IStakeVault public immutable VAULT;
    /// @notice The registry: who was a member and until when.
    IClusterRegistry public immutable CLUSTERS;
    uint256 private immutable _window;

    /// @dev Inside `contest` and `takeRest`: evidence of an offence that was punished already is only looked at again.
    bool private transient _again;
    /// @dev What it showed: the convicted signer and its group, the beneficiary, the commitment to it, and the offence.
    address private transient _signer;
    address private transient _beneficiary;
    bytes32 private transient _group;
    bytes32 private transient _commitment;
    bool private transient _many;
    uint8 private transient _kind;

    /// @notice When keccak(evidence ‖ beneficiary) was committed to, in seconds; zero when it was not.
    mapping(bytes32 commitment => uint256) public committedAt;

    /// @dev The head of one evidence.
    struct Case {
        bytes32 domain;
        bytes32 group;
        uint64 epoch;
        uint256 size;
        uint256 rosterAt;
        uint256 place;
        address accused;
        bool many; // more than f of the epoch are convicted
        bool again; // shown again, not punished
    }

    /**
     * @param vault the stake vault; its evidence window holds
     * @param clusters the cluster registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters) {
        (VAULT, CLUSTERS) = (vault, clusters);
        _window = vault.EVIDENCE_WINDOW();
    }

    /**
     * @notice Commits to evidence of a grave offence before using it: who copies the report from the pending transactions
     * then loses the bounty to whoever committed earlier. Nobody needs it to report.
     * Effects: the first time of `commitment` = keccak(evidence ‖ beneficiary) is kept.
     */
    function commit(bytes32 commitment) external {
        if (committedAt[commitment] == 0) {
            committedAt[commitment] = block.timestamp;
            emit Committed(commitment);
        }
    }

    /**
     * @notice Takes the bounty of a grave fault for somebody who had committed to evidence before the slash. Anybody may.
     * @param parts of the slash, as its event says, or of the last move
     * @param report the whole call that reports the same evidence, with the beneficiary who committed
     * Requirements: the evidence is good; its commitment is older than the slash; the vault's CONTEST_TIME is not over.
     */
    function contest(IStakeVault.Parts calldata parts, bytes calldata report) external {
        address node = _lookAgain(report);
        uint256 committed = committedAt[_commitment];
        if (_group != parts.group || committed == 0 || committed >= VAULT.bountyOf(node).since) {
            revert NotContested();
        }
        VAULT.moveBounty(node, parts, _beneficiary);
    }

    /**
     * @notice Takes the rest of a tombstoned node, once more than f members of the epoch are convicted. Anybody may.
     * @param report the whole call that reports the evidence
     */
    function takeRest(bytes calldata report) external {
        address node = _lookAgain(report);
        (, IStakeVault.Status status) = VAULT.statusOfSigner(_signer);
        if (status != IStakeVault.Status.Tombstoned || !_many) {
            revert AlreadyPunished(node);
        }
        VAULT.slash(
            IStakeVault.Penalty(
                node, ALL_BPS, _kind, IStakeVault.Status.Void, _beneficiary, GRAVE_REPORTER_BPS, address(0), CONSUMER_BPS, _group
            )
        );
    }

    /**
     * @dev Judges a report without its consequences; returns the node that it convicts. Any call of this contract may be passed:
     * it runs as the caller's own would, and only `_show` says what was proven, all of it at once.
     */
    function _lookAgain(bytes calldata report) private returns (address) {
        _again = true;
        (bool done, bytes memory reason) = address(this).delegatecall(report);
        if (!done) {
            assembly ("memory-safe") {
                revert(add(reason, 0x20), mload(reason))
            }
        }
        _again = false;
        return VAULT.nodeOfSigner(_signer);
    }

    // ---- head

    /// @dev Reads the head; `pos` is the position of the body. Requirements: the accused has a place in the roster shown.
    function _head(bytes calldata evidence) private view returns (Case memory c, uint256 pos) {
        pos = Packed.start(evidence);
        c.group = Packed.word(pos);
        c.epoch = Packed.u64(pos + 32);
        c.size = Packed.u8(pos + 40);
        c.place = Packed.u8(pos + 41);
        c.rosterAt = pos + 42;
        if (c.place >= c.size) {
            revert UnknownRoster();
        }
        c.accused = Packed.account(c.rosterAt + c.place * 20);
        c.domain = Eip712.separator(address(VAULT));
        pos = c.rosterAt + c.size * 20;
    }

    /// @dev Head of evidence that counts no conviction by itself.
    function _open(bytes calldata evidence) internal view returns (Case memory c, uint256 pos) {
        (c, pos) = _head(evidence);
        _mustBeKnown(c, CLUSTERS.recordOf(c.group, c.epoch));
    }

    /// @dev Head of evidence of a grave offence: counts the conviction. What turns out wrong afterwards reverts the count.
    function _openGrave(bytes calldata evidence) internal returns (Case memory c, uint256 pos) {
        (c, pos) = _head(evidence);
        c.again = _again;
        _mustBeKnown(c, c.again ? CLUSTERS.recordOf(c.group, c.epoch) : CLUSTERS.convict(c.group, c.epoch));
    }

    /// @dev `record` as `IClusterRegistry.recordOf` says.
    function _mustBeKnown(Case memory c, uint256 record) private view {
        if (Quorum.digestAt(c.rosterAt, c.size) != uint192(record)) {
            revert UnknownRoster();
        }
        uint256 endedAt = uint40(record >> 192);
        if (endedAt != 0 && block.timestamp > endedAt + _window) {
            revert EvidenceExpired(endedAt);
        }
        c.many = record >> 240 > Quorum.maxFaulty(c.size);
    }

    // ---- statements

    /// @dev Requirements: the compact signature at `pos` over `structHash` is the accused's.
    function _mustSign(Case memory c, bytes32 structHash, uint256 pos) internal view {
        bytes32 digest = Eip712.digest(c.domain, structHash);
        address signer = SignatureLib.recoverCompact(digest, Packed.word(pos), Packed.word(pos + 32));
        if (signer == address(0) || signer != c.accused) {
            revert SignerMismatch();
        }
    }

    /// @dev stateRoot(32) ‖ detail(32) ‖ certificate. Returns the struct hash of the certified checkpoint.
    function _certified(Case memory c, uint64 height, uint256 pos) internal view returns (bytes32 structHash, uint256 next) {
        structHash = PicoloHashes.hash(PicoloHashes.Checkpoint(c.group, c.epoch, height, Packed.word(pos), Packed.word(pos + 32)));
        next = Quorum.check(Eip712.digest(c.domain, structHash), c.rosterAt, c.size, pos + 64);
    }

    // ---- verdicts

    /// @dev Ends the service of the accused: half of its stake, or all when more than f of the epoch are convicted.
    function _punishGrave(Case memory c, uint8 kind, bytes calldata evidence, address reporter) internal {
        if (c.again) {
            return _show(c, kind, evidence, reporter);
        }
        VAULT.convict(c.accused, c.group, kind, c.many, reporter);
    }

    /// @dev Evidence against more than f members at once takes everything of each: `bits` are their places.
    function _punishAll(Case memory c, uint8 kind, uint256 bits, bytes calldata evidence, address reporter) internal {
        if (_again) {
            c.many = true;
            return _show(c, kind, evidence, reporter);
        }
        bool any = false;
        for (uint256 place = 0; place < c.size; ++place) {
            if ((bits >> place) & 1 == 1) {
                address signer = Packed.account(c.rosterAt + place * 20);
                (, IStakeVault.Status status) = VAULT.statusOfSigner(signer);
                if (status == IStakeVault.Status.Active) {
                    CLUSTERS.convict(c.group, c.epoch);
                    VAULT.convict(signer, c.group, kind, true, reporter);
                    any = true;
                }
            }
        }
        if (!any) {
            revert AlreadyPunished(c.accused);
        }
    }

    function _show(Case memory c, uint8 kind, bytes calldata evidence, address reporter) private {
        (_signer, _beneficiary, _group, _many, _kind) = (c.accused, reporter, c.group, c.many, kind);
        _commitment = keccak256(abi.encodePacked(evidence, reporter));
    }
}
