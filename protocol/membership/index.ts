/**
 * Who speaks for a group, and what it takes to be believed (consensus §2.11, §2.13). A roster comes
 * from the chain; q signatures of it make a checkpoint certain; a certificate is checked the same
 * way by replicas, clients and browsers.
 *
 * @example
 *   const roster = rosterOf(group, epoch, signersAscending);
 *   verifyCertificate(domain, roster, certified);   // throws MEMBERSHIP_* when it is not certain
 */
export { configHashOf, quorumOfRoster, rosterOf, type Roster } from './roster.ts';
export {
  certifiedCheckpointC, checkpointDigestOf, checkpointHashOf, detailHashOf, verifyCertificate,
  type CertifiedCheckpoint, type CheckpointDetail, type ReplicaSignature,
} from './certificate.ts';
export { packCheckpoint, packSigners } from './pack.ts';
export { membershipFaults } from './faults.ts';
