// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Packed} from "./libraries/Packed.sol";
import {Quorum} from "./libraries/Quorum.sol";
import {SignatureLib} from "./libraries/SignatureLib.sol";

/**
 * @title Common rules of evidence (consensus §3.1)
 * @notice Evidence names a group and an epoch and brings that epoch's roster; the registry knows its hash and when it
 * ended. The accused is a place in the roster. Grave offences tombstone; lesser ones climb a ladder.
 *
 * Packed head of every evidence: group(32) ‖ epoch(8) ‖ size(1) ‖ accused index(1) ‖ roster(20 * size).
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
    /// @notice The answer was given before this time, which a conviction covers already.
    error Absolved(uint256 until);
    /// @notice The answer is dated later than the chain.
    error FutureAnswer(uint256 issuedAt);
    /// @notice The statements do not contradict each other.
    error NotConflicting();
    /// @notice A proof does not lead to the signed root.
    error BadProof();

    /// @notice A node was convicted.
    event Fault(uint8 indexed kind, address indexed node, bytes32 indexed group, uint64 epoch, address reporter, uint256 taken);

    /// @notice Answers given until this long after a conviction belong to it: a broken disk is one fault. Seconds.
    uint256 public constant ABSOLUTION = 24 hours;
    /// @notice Part of the stake that a grave offence costs, in 1/10,000; everything when more than f of an epoch are convicted.
    uint256 public constant GRAVE_BPS = 5_000;
    /// @notice Parts that the first three lesser faults in a row cost; the fourth costs the third's and tombstones.
    uint256 public constant FIRST_BPS = 1_000;
    /// @notice See FIRST_BPS.
    uint256 public constant SECOND_BPS = 2_000;
    /// @notice See FIRST_BPS.
    uint256 public constant THIRD_BPS = 4_000;
    uint16 private constant GRAVE_REPORTER_BPS = 1_000;
    uint16 private constant LESSER_REPORTER_BPS = 3_000;
    uint16 private constant CONSUMER_BPS = 2_000;

    /// @notice The vault: who is accountable, what it costs.
    IStakeVault public immutable VAULT;
    /// @notice The registry: who was a member and until when.
    IClusterRegistry public immutable CLUSTERS;
    uint256 private immutable _window;
    uint256 private immutable _ladderWindow;

    /// @dev The head of one evidence after its checks.
    struct Case {
        bytes32 domain;
        bytes32 group;
        uint64 epoch;
        uint256 size;
        uint256 rosterAt;
        address accused;
        address consumer;
        uint256 convicted;
    }

    /**
     * @param vault the stake vault; its evidence and ladder windows hold
     * @param clusters the cluster registry
     */
    constructor(IStakeVault vault, IClusterRegistry clusters) {
        (VAULT, CLUSTERS) = (vault, clusters);
        (_window, _ladderWindow) = (vault.EVIDENCE_WINDOW(), vault.LADDER_WINDOW());
    }

    /// @dev Reads and checks the head; `pos` is the position of the body.
    function _open(bytes calldata evidence) internal view returns (Case memory c, uint256 pos) {
        pos = Packed.start(evidence);
        c.group = Packed.word(pos);
        c.epoch = Packed.u64(pos + 32);
        c.size = Packed.u8(pos + 40);
        uint256 index = Packed.u8(pos + 41);
        c.rosterAt = pos + 42;
        IClusterRegistry.Epoch memory epoch;
        (epoch, c.consumer) = CLUSTERS.membership(c.group, c.epoch);
        if (index >= c.size || Quorum.digestAt(c.rosterAt, c.size) != epoch.roster) {
            revert UnknownRoster();
        }
        if (epoch.endedAt != 0 && block.timestamp > epoch.endedAt + _window) {
            revert EvidenceExpired(epoch.endedAt);
        }
        c.convicted = epoch.convicted;
        c.accused = Packed.account(c.rosterAt + index * 20);
        c.domain = Eip712.separator(address(VAULT));
        pos = c.rosterAt + c.size * 20;
    }

    /// @dev Requirements: the compact signature at `pos` over `structHash` is the accused's.
    function _mustSign(Case memory c, bytes32 structHash, uint256 pos) internal view {
        bytes32 digest = Eip712.digest(c.domain, structHash);
        address signer = SignatureLib.recoverCompact(digest, Packed.word(pos), Packed.word(pos + 32));
        if (signer == address(0) || signer != c.accused) {
            revert SignerMismatch();
        }
    }

    /**
     * @dev Tombstones; takes everything when more than f members of the epoch are convicted. The same evidence can be
     * brought again once that number is reached, and takes the rest of a tombstoned node.
     */
    function _punishGrave(Case memory c, uint8 kind, address reporter) internal {
        (address node, IStakeVault.Status status) = VAULT.statusOfSigner(c.accused);
        bool again = status == IStakeVault.Status.Tombstoned;
        if (status != IStakeVault.Status.Active && !again) {
            revert AlreadyPunished(node);
        }
        uint256 convicted = again ? c.convicted : CLUSTERS.convict(c.group, c.epoch);
        bool many = convicted > Quorum.maxFaulty(c.size);
        if (again && !many) {
            revert AlreadyPunished(node);
        }
        _slash(c, kind, node, many ? 10_000 : GRAVE_BPS, many ? IStakeVault.Status.Void : IStakeVault.Status.Tombstoned,
            reporter, GRAVE_REPORTER_BPS);
    }

    /// @dev Climbs the ladder. `issuedAt` <= now makes every answer usable once: after a conviction it is absolved.
    function _punishLesser(Case memory c, uint8 kind, address querier, uint256 issuedAt) internal {
        (address node, IStakeVault.Status status, uint256 lastFaultAt, uint256 ladder) = VAULT.recordOfSigner(c.accused);
        if (status != IStakeVault.Status.Active) {
            revert AlreadyPunished(node);
        }
        if (issuedAt > block.timestamp) {
            revert FutureAnswer(issuedAt);
        }
        if (lastFaultAt != 0 && issuedAt <= lastFaultAt + ABSOLUTION) {
            revert Absolved(lastFaultAt + ABSOLUTION);
        }
        uint256 step = lastFaultAt != 0 && block.timestamp <= lastFaultAt + _ladderWindow ? ladder : 0;
        uint256 bps = step == 0 ? FIRST_BPS : step == 1 ? SECOND_BPS : THIRD_BPS;
        _slash(c, kind, node, bps, step < 3 ? IStakeVault.Status.Active : IStakeVault.Status.Tombstoned, querier, LESSER_REPORTER_BPS);
    }

    function _slash(
        Case memory c, uint8 kind, address node, uint256 bps, IStakeVault.Status status, address reporter, uint16 reporterBps
    ) private {
        uint256 taken = VAULT.slash(
            IStakeVault.Penalty(node, uint16(bps), kind, status, reporter, reporterBps, c.consumer, CONSUMER_BPS)
        );
        emit Fault(kind, node, c.group, c.epoch, reporter, taken);
    }
}
