// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessManager} from "@openzeppelin/contracts/access/manager/IAccessManager.sol";
import {INodeRegistry} from "./interfaces/INodeRegistry.sol";
import {IStakeVault} from "./interfaces/IStakeVault.sol";
import {ISystemParams} from "./interfaces/ISystemParams.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {PicoloHashes} from "./libraries/PicoloHashes.sol";
import {SignatureLib} from "./libraries/SignatureLib.sol";

/**
 * @title Certificates and the trust ladder (whitepaper §4.4, §4.5.2)
 * @notice Step 0: nothing. 1: a root's certificate. 2: stake that backs an offer. 3: both, and promoted by rules that anybody can
 * check. 4: step 3 and an owner whom governance called to the council. Every fault after a promotion undoes it.
 *
 * @dev A certificate is worth what its issuer is: when an issuer loses its role, so do its certificates. Numbers are an
 * issuer's own; a revoked number never counts again.
 */
abstract contract NodeLadder is INodeRegistry {
    /// @dev Role numbers of `Authority`.
    uint64 private constant ISSUER = 6;
    uint64 private constant COUNCIL = 8;

    /// @notice The vault that holds the stake; its address is the domain of certificates.
    IStakeVault public immutable VAULT;
    /// @notice The parameters.
    ISystemParams public immutable PARAMS;

    mapping(address node => Certificate) private _certificates;
    /// @dev Revoked numbers of an issuer, a bit each.
    mapping(address issuer => mapping(uint256 word => uint256)) private _revoked;

    constructor(IStakeVault vault, ISystemParams params) {
        (VAULT, PARAMS) = (vault, params);
    }

    /**
     * @notice Anchors a certificate that a root signed. Anybody may: the signature speaks.
     * Effects: it replaces the one before; key and software are in the event.
     * Requirements: signed by an account with role ISSUER; issued by now and not expired; not revoked.
     */
    function anchorCertificate(PicoloHashes.NodeCertificate calldata certificate, bytes calldata signature) external {
        bytes32 digest = Eip712.digest(Eip712.separator(address(VAULT)), PicoloHashes.hash(certificate));
        address issuer = SignatureLib.recover(digest, signature);
        if (issuer == address(0) || !_isIssuer(issuer)) {
            revert NotIssuer(issuer);
        }
        bool dated = certificate.issuedAt <= block.timestamp && block.timestamp < certificate.expiresAt;
        if (!dated || certificate.expiresAt > type(uint40).max) {
            revert NotDated(certificate.issuedAt, certificate.expiresAt);
        }
        if (isRevoked(issuer, certificate.number)) {
            revert Revoked(issuer, certificate.number);
        }
        Certificate storage record = _certificates[certificate.node];
        (record.issuer, record.expiresAt, record.number) = (issuer, uint40(certificate.expiresAt), certificate.number);
        emit CertificateAnchored(
            certificate.node, issuer, certificate.number, certificate.transportKeyHash, certificate.softwareHash, certificate.expiresAt
        );
    }

    /// @notice Withdraws a certificate of the caller for ever, anchored or not. Requirements: none; only the issuer's own numbers are reached.
    function revokeCertificate(uint64 number) external {
        _revoked[msg.sender][number >> 8] |= 1 << (number & 0xff);
        emit CertificateRevoked(msg.sender, number);
    }

    /**
     * @notice Lifts `node` to the third step. Anybody may.
     * Effects: it holds until the node's next fault, or while certificate or stake are missing.
     * Requirements: certified and backed; `service` seconds since it joined and since its last fault; `fees` earned.
     */
    function promote(address node) external {
        ISystemParams.Ladder memory rule = PARAMS.ladder();
        IStakeVault.Owner memory owner = VAULT.ownerOf(node);
        _must(isCertified(node), "certificate");
        _must(_isBacked(node), "stake");
        _must(block.timestamp >= uint256(owner.joinedAt) + rule.service, "service");
        _must(block.timestamp >= uint256(owner.lastFaultAt) + rule.service, "fault");
        _must(earnedOf(node) >= rule.fees, "fees");
        _certificates[node].promotedAt = uint40(block.timestamp);
        emit Promoted(node);
    }

    /// @notice Step of `node` on the ladder, 0 to 4.
    function trustOf(address node) external view returns (uint8) {
        (bool certified, bool backed) = (isCertified(node), _isBacked(node));
        if (!certified || !backed) {
            return backed ? 2 : certified ? 1 : 0;
        }
        IStakeVault.Owner memory owner = VAULT.ownerOf(node);
        uint256 promotedAt = _certificates[node].promotedAt;
        if (promotedAt == 0 || owner.lastFaultAt >= promotedAt) {
            return 2;
        }
        (bool called,) = IAccessManager(PARAMS.authority()).hasRole(COUNCIL, owner.owner);
        return called ? 4 : 3;
    }

    /// @notice Whether `node` holds a certificate that counts now.
    function isCertified(address node) public view returns (bool) {
        Certificate memory record = _certificates[node];
        return block.timestamp < record.expiresAt && !isRevoked(record.issuer, record.number) && _isIssuer(record.issuer);
    }

    /// @notice Whether an issuer withdrew this number.
    function isRevoked(address issuer, uint64 number) public view returns (bool) {
        return (_revoked[issuer][number >> 8] >> (number & 0xff)) & 1 == 1;
    }

    /// @notice The certificate that `node` presented last.
    function certificateOf(address node) external view returns (Certificate memory) {
        return _certificates[node];
    }

    /// @notice Fees that `node` collected through the splitter since the beginning, in wei of PINT.
    function earnedOf(address node) public view virtual returns (uint256);

    /// @dev Active, with a lock that its stake covers: it offers something and stands behind it.
    function _isBacked(address node) private view returns (bool) {
        (, IStakeVault.Status status, bool backed) = VAULT.standing(node);
        return status == IStakeVault.Status.Active && backed && VAULT.keyOf(node).locked != 0;
    }

    function _isIssuer(address account) private view returns (bool member) {
        (member,) = IAccessManager(PARAMS.authority()).hasRole(ISSUER, account);
    }

    function _must(bool met, bytes32 rule) private pure {
        if (!met) {
            revert RuleNotMet(rule);
        }
    }
}
