// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {RateLimiter} from "@openzeppelin/contracts/utils/RateLimiter.sol";
import {IClusterRegistry} from "./interfaces/IClusterRegistry.sol";
import {IJurorSeats} from "./interfaces/IJurorSeats.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ISystemParams} from "./interfaces/ISystemParams.sol";
import {DisputeMath} from "./libraries/DisputeMath.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {SignatureLib} from "./libraries/SignatureLib.sol";
import {DisputeCommittees} from "./DisputeCommittees.sol";
import {PintToken} from "./PintToken.sol";

/**
 * @title What no contract can judge (Picolo §6.5)
 * @notice Somebody accuses a node and puts a bond behind it; the node's owner may answer with a bond of its own. A committee of other
 * owners, drawn by the randomness of a block that did not exist when the dispute was opened, looks at the evidence, votes by
 * commitment and is paid by whoever loses. One appeal goes to a larger committee. A verdict against the node takes a part of its stake
 * through the vault, within caps for a week.
 *
 * @dev Every deadline follows from the time of the opening, all amounts are constants, and the whole fits the vault's dispute time. An
 * open dispute ends by the clock alone, whoever is silent, and money is only ever credited here: no payee can hold up an end.
 */
contract DisputeCourt is DisputeCommittees {
    using SafeERC20 for IERC20;
    using RateLimiter for RateLimiter.SlidingWindow;

    /// @notice Number of this offence in `Slashed` events.
    uint8 public constant VERDICT = 21;
    /// @notice Bond of the plaintiff, and of an owner who answers, in wei.
    uint256 public constant BOND = 200e18;
    /// @notice Bond of an appeal, in wei.
    uint256 public constant APPEAL_BOND = 400e18;
    /// @notice What a place of a committee earns, in wei; those who voted with the verdict share the committee's sum.
    uint256 public constant FEE = 5e18;
    /// @notice Caps hold within any period of so many seconds.
    uint48 public constant CAP_WINDOW = 7 days;
    /// @notice Longest address of evidence, in bytes.
    uint256 public constant MAX_URI = 512;
    uint16 private constant REPORTER_BPS = 2_000;
    uint16 private constant CONSUMER_BPS = 3_000;
    bytes32 private constant NETWORK = 0;

    /// @notice The token of bonds.
    PintToken public immutable PINT;
    /// @notice The registry of epochs.
    IClusterRegistry public immutable CLUSTERS;
    uint256 private immutable _window;

    /// @notice Newest dispute about a claim against a node, by keccak of `abi.encode(kind, node, claim)`; zero when there was none.
    mapping(bytes32 matter => uint256) public disputeAbout;
    /// @notice PINT that waits for an account, in wei.
    mapping(address account => uint256) public owed;
    RateLimiter.SlidingWindow private _caps;

    /**
     * @param vault the stake vault; a dispute must fit its dispute time
     * @param pint the work token
     * @param seats the seats of jurors
     * @param clusters the cluster registry
     * @param params the parameters
     */
    constructor(IStakeVault vault, PintToken pint, IJurorSeats seats, IClusterRegistry clusters, ISystemParams params)
        DisputeCommittees(vault, seats, params)
    {
        (PINT, CLUSTERS) = (pint, clusters);
        if (vault.DISPUTE_TIME() < DisputeMath.WHOLE) {
            revert DoesNotFit(DisputeMath.WHOLE, vault.DISPUTE_TIME());
        }
        _window = vault.EVIDENCE_WINDOW();
        _caps.updateSettings(CAP_WINDOW, type(uint208).max);
    }

    // ---- parties

    /**
     * @notice Disputes a signed result of general SQL.
     * Effects: as `open` with kind WrongResult; the claim is the digest of the statement.
     * Requirements: a node signed `statement`; its epoch lasts, or ended within the evidence window; the caller is the querier that it
     * names, if it names one; the rest as in `open`.
     */
    function openStatement(PicoloHashes.Statement calldata statement, bytes calldata signature, string calldata uri) external returns (uint256) {
        bytes32 digest = Eip712.digest(Eip712.separator(address(VAULT)), PicoloHashes.hash(statement));
        address signer = SignatureLib.recover(digest, signature);
        address node = signer == address(0) ? signer : VAULT.nodeOfSigner(signer);
        if (node == address(0)) {
            revert UnknownSigner(signer);
        }
        if (statement.querier != address(0) && statement.querier != msg.sender) {
            revert NotQuerier(statement.querier);
        }
        _mustBeRecent(statement.group, statement.epoch);
        return _open(Kind.WrongResult, node, digest, statement.group, uri);
    }

    /**
     * @notice Accuses `node` of something that nobody can show on chain.
     * Effects: the caller's bond is held; the block that orders the seats is fixed; everything after follows from the clock.
     * Requirements: the kind is not WrongResult; the node is active and not the caller's; this claim against it was not judged and is not
     * open; at most MAX_URI bytes of `uri`; an approval of BOND.
     * @param claim hash of the evidence
     * @param uri where jurors find it
     */
    function open(Kind kind, address node, bytes32 claim, string calldata uri) external returns (uint256) {
        if (kind == Kind.WrongResult) {
            revert StatementNeeded();
        }
        return _open(kind, node, claim, 0, uri);
    }

    /**
     * @notice The accused answers, and puts a bond against the plaintiff's. Without it the committee judges all the same.
     * Requirements: the caller owns the node; once; the time to answer is not over; an approval of BOND.
     */
    function answer(uint256 id, bytes32 reason, string calldata uri) external {
        (Dispute storage dispute,) = _current(id);
        if (_ownerOf(dispute.node) != msg.sender) {
            revert NotOwner(dispute.node, msg.sender);
        }
        _notAfter(dispute.openedAt + DisputeMath.ANSWER_BY);
        if (dispute.answered) {
            revert AlreadyAnswered();
        }
        _mustBeShort(uri);
        dispute.answered = true;
        emit DisputeAnswered(id, reason, uri);
        _takeIn(BOND);
    }

    /**
     * @notice Takes a verdict before a larger committee, of other seats. It stands unless that one decides otherwise.
     * Requirements: the first committee decided against the caller; its time to reveal is over, the time to appeal is not; an approval
     * of APPEAL_BOND.
     */
    function appeal(uint256 id, bytes32 reason, string calldata uri) external {
        (Dispute storage dispute, uint256 round) = _current(id);
        if (round != 0) {
            revert AlreadyAppealed();
        }
        _after(DisputeMath.revealBy(dispute.openedAt, 0));
        _notAfter(dispute.openedAt + DisputeMath.APPEAL_BY);
        (Verdict first,) = _resultOf(id, 0);
        if (first == Verdict.Undecided) {
            revert NothingToAppeal(first);
        }
        if (msg.sender != _loser(dispute, first)) {
            revert NotTheLoser(msg.sender);
        }
        _mustBeShort(uri);
        dispute.appealed = true;
        emit DisputeAppealed(id, msg.sender, _fixSeed(id, 1), reason, uri);
        _takeIn(APPEAL_BOND);
    }

    /**
     * @notice Ends a dispute. Anybody may, once its time is over.
     * Effects: a verdict against the node takes stake, within the caps; bonds and fees are credited; jurors who revealed nothing lose a unit.
     * Undecided: bonds go back, less the fees of those who voted when they were more than half. What no juror earned of the fines burns.
     * Requirements: not settled; the time to appeal is over (to reveal, when nothing was decided), after an appeal its time to reveal.
     */
    function settle(uint256 id) external {
        (Dispute storage dispute, uint256 round) = _current(id);
        (Verdict verdict,) = _resultOf(id, 0);
        bool drawn = false;
        if (round == 1) {
            _after(DisputeMath.revealBy(dispute.openedAt, 1));
            Verdict second;
            (second, drawn) = _resultOf(id, 1);
            if (!drawn) {
                _credit(_loser(dispute, verdict), APPEAL_BOND); // no appeal that was not heard costs anything
            }
            verdict = second == Verdict.Undecided ? verdict : second;
        } else {
            _after(verdict == Verdict.Undecided ? DisputeMath.revealBy(dispute.openedAt, 0) : dispute.openedAt + DisputeMath.APPEAL_BY);
        }
        dispute.verdict = verdict;
        uint256 fees = _pay(id, 0, verdict);
        if (round == 1) {
            fees += _pay(id, 1, verdict);
        }
        uint256 taken = verdict == Verdict.Upheld ? _punish(dispute) : 0;
        _return(dispute, verdict, drawn ? APPEAL_BOND : 0, fees);
        emit DisputeSettled(id, verdict, taken, fees);
    }

    /// @notice Pays what waits for `account` to it. Anybody may. Requirements: something does.
    function collect(address account) external {
        uint256 amount = owed[account];
        if (amount == 0) {
            revert NothingOwed(account);
        }
        delete owed[account];
        emit Collected(account, amount);
        IERC20(address(PINT)).safeTransfer(account, amount);
    }

    // ---- views

    /// @notice Last seconds of the dispute's phases: to answer, commit, reveal, appeal, and after an appeal to commit and to reveal.
    function deadlinesOf(uint256 id) external view returns (uint256[6] memory) {
        uint256 from = _find(id).openedAt;
        return [
            from + DisputeMath.ANSWER_BY, from + DisputeMath.COMMIT_BY, from + DisputeMath.REVEAL_BY, from + DisputeMath.APPEAL_BY,
            from + DisputeMath.COMMIT_AGAIN_BY, from + DisputeMath.REVEAL_AGAIN_BY
        ];
    }

    /// @notice What a verdict of `kind` against `node` would take now, in wei.
    function penaltyOf(Kind kind, address node) public view returns (uint256) {
        IStakeVault.Account memory account = VAULT.accountOf(node);
        return DisputeMath.penalty(
            kind, uint256(account.active) + account.pending, _caps.used(_keyOf(node)), PINT.balanceOf(address(VAULT)), _caps.used(NETWORK)
        );
    }

    // ---- inside

    function _open(Kind kind, address node, bytes32 claim, bytes32 group, string calldata uri) private returns (uint256 id) {
        if (VAULT.accountOf(node).status != IStakeVault.Status.Active) {
            revert NodeNotActive(node);
        }
        _mustBeShort(uri);
        if (_ownerOf(node) == msg.sender) {
            revert OwnNode(node);
        }
        bytes32 matter = keccak256(abi.encode(kind, node, claim));
        _mustBeNew(disputeAbout[matter]);
        uint256 seedBlock;
        (id, seedBlock) = _begin(
            Dispute(msg.sender, uint40(block.timestamp), kind, Verdict.None, false, false, node, uint32(SEATS.seatCount()), claim, group)
        );
        disputeAbout[matter] = id;
        emit DisputeOpened(id, node, msg.sender, kind, group, claim, seedBlock, uri);
        _takeIn(BOND);
    }

    /// @dev Only what was left undecided may be disputed again.
    function _mustBeNew(uint256 id) private view {
        if (id != 0 && _find(id).verdict != Verdict.Undecided) {
            revert AlreadyDisputed(id);
        }
    }

    function _mustBeRecent(bytes32 group, uint64 epoch) private view {
        uint256 record = CLUSTERS.recordOf(group, epoch);
        if (record == 0) {
            revert UnknownEpoch(group, epoch);
        }
        uint256 endedAt = uint40(record >> 192);
        if (endedAt != 0 && block.timestamp > endedAt + _window) {
            revert EvidenceExpired(endedAt);
        }
    }

    function _mustBeShort(string calldata uri) private pure {
        if (bytes(uri).length > MAX_URI) {
            revert UriTooLong(bytes(uri).length);
        }
    }

    function _loser(Dispute storage dispute, Verdict verdict) private view returns (address) {
        return verdict == Verdict.Upheld ? _ownerOf(dispute.node) : dispute.plaintiff;
    }

    /**
     * @dev Dismisses a committee. Those who voted with the verdict share the fees of all its places and the fines of the absent. Undecided,
     * all who voted share the fines and, when they are more than half of the places, earn their fees.
     */
    function _pay(uint256 id, uint256 round, Verdict verdict) private returns (uint256 fees) {
        uint256 sum = _dismiss(id, round);
        address[] memory jurors = _votersOf(id, round, verdict);
        uint256 share = 0;
        if (jurors.length != 0) {
            fees = FEE * DisputeMath.paidPlaces(round, verdict, jurors.length);
            sum += fees;
            share = sum / jurors.length;
        }
        for (uint256 i = 0; i < jurors.length; ++i) {
            _credit(jurors[i], share);
        }
        if (sum != share * jurors.length) {
            PINT.burn(sum - share * jurors.length);
        }
    }

    /// @dev The winner gets every bond, undecided everybody its own; the fees, of both committees less than one bond, go off.
    function _return(Dispute storage dispute, Verdict verdict, uint256 appealBond, uint256 fees) private {
        (address plaintiff, address accused) = (dispute.plaintiff, _ownerOf(dispute.node));
        uint256 answerBond = dispute.answered ? BOND : 0;
        if (verdict == Verdict.Undecided) {
            _credit(plaintiff, BOND - fees);
            _credit(accused, answerBond);
        } else {
            _credit(verdict == Verdict.Upheld ? plaintiff : accused, BOND + answerBond + appealBond - fees);
        }
    }

    /// @dev A court that may not slash any more still ends its disputes.
    function _punish(Dispute storage dispute) private returns (uint256 taken) {
        address node = dispute.node;
        uint256 amount = penaltyOf(dispute.kind, node);
        if (amount == 0 || !VAULT.isSlasher(address(this))) {
            return 0;
        }
        taken = VAULT.drain(
            IStakeVault.Penalty(
                node, 0, VERDICT, IStakeVault.Status.Active, dispute.plaintiff, REPORTER_BPS, address(0), CONSUMER_BPS, dispute.group
            ),
            amount
        );
        _caps.consume(_keyOf(node), taken);
        _caps.consume(NETWORK, taken);
    }

    function _takeIn(uint256 amount) private {
        IERC20(address(PINT)).safeTransferFrom(msg.sender, address(this), amount);
    }

    function _credit(address account, uint256 amount) private {
        if (amount != 0) {
            owed[account] += amount;
            emit Credited(account, amount);
        }
    }

    function _keyOf(address node) private pure returns (bytes32) {
        return bytes32(uint256(uint160(node)));
    }
}
