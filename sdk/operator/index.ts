/**
 * What people do on the chain: providers stake and leave, dapps order clusters and pay. Used by the CLI and by
 * programs; every call either returns facts from its receipt or throws a coded fault (CHAIN_*).
 *
 * @example
 *   const chain = openNetwork({ rpcUrl, deployment, key });
 *   await registerProvider(chain, nodeKey);
 *   await stake(chain, node, amountWei);
 */
export { openNetwork, type Network, type Receipt } from './network.ts';
export { operatorFaults } from './faults.ts';
export { announce, offerCapacity, providerOf, registerProvider, requestExit, requiredStakeWei, stake, withdrawStake, type Provider } from './provider.ts';
export { collectOffers, createCluster, formGroup, listProviders, replaceMember, waitForGroup, type ClusterOrder, type Listing, type SignedOffer } from './cluster.ts';
export { closeGroup, groupRecord, noticeOf, replaceNode, requestLeave, type GroupRecord } from './membership.ts';
export { channelKeyById, channelKeyOf, channelState, claimShare, collectVoucher, fundChannel, type ChannelKey } from './channel.ts';
export { chosenOf, formDrawnGroup, headerOf, openDraw } from './draw.ts';
export {
  anchorCertificate, promote, releaseFees, revokeCertificate, signCertificate, standingOf, trustSteps, type NodeCertificate, type Standing,
} from './ladder.ts';
export {
  advanceProposal, castVote, delayOf, parameterGroups, proposalOf, proposeParams, readParams,
  type ParameterGroupName, type ParameterUnit, type ParameterValues, type Proposal,
} from './params.ts';
export { reportEvidence } from './report.ts';
export {
  buyKey, complainAbout, delistKey, deliverKey, listKey, listingById, listings, purchaseById, purchasesOf, ratePurchase, receiveKey, reclaimPurchase,
  requirePolicy, settlePurchase, type MarketListing, type MarketPurchase, type Offering, type PurchaseState,
} from './market.ts';
export {
  anchorCheckpoint, fulfilRequest, newestAnchor, openRequests, registerStatement, requestById, type AnchoredCheckpoint, type OracleRequest,
} from './oracle.ts';
export { challengeOf, declareFailure, openChallenge, settleChallenge, type OpenChallenge } from './availability.ts';
export {
  answerDispute, appealDispute, collectCredit, commitBallot, creditOf, disputeById, disputeKinds, disputeResult, disputes, drawCommittee, newBallots,
  openDispute, revealBallot, settleDispute,
  type Ballot, type CommitteePlace, type DisputeKind, type DisputePhase, type DisputeVerdict, type DisputeView,
} from './dispute.ts';
export { leaveSeats, returnSeats, SEAT_WEI, seatsOf, takeSeats, type JurorSeat } from './juror.ts';
export { shareSlashed } from './slashed.ts';
