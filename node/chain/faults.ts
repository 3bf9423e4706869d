import { defineFaults } from '../../protocol/errors/index.ts';

export const chainFaults = defineFaults('CHAIN', {
  unreachable: ['the chain does not answer', 'check the RPC address and the network; it is tried again'],
  wrongNetwork: ['the RPC address serves another chain than the deployment', 'correct the RPC address or the deployment'],
  refused: ['the chain refused a request', 'check the RPC provider and its limits; it is tried again'],
  malformed: ['the chain answered something else than was asked', 'use another RPC provider'],
  moved: ['the chain changed while it was read', 'nothing: it is read again'],
  noWallet: ['this node has no wallet to send transactions with', 'set the operator key in the configuration'],
  reverted: ['the contract refused the transaction', 'read the reason; the same call will be refused again'],
  settled: ['this was dealt with already', 'nothing: the evidence or the challenge has done its work'],
  noFunds: ['the operator wallet cannot pay for the transaction', 'send ether to the operator wallet'],
  lost: ['the transaction was not mined in time', 'it may still be mined; submit the evidence again later'],
  snapshotFailed: ['what was read of the chain cannot be written down', 'check the disk; the history is read again after a restart'],
  closed: ['the chain connection is closed', 'nothing: the node is stopping'],
});
