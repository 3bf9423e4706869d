import { defineFaults } from '../../protocol/errors/index.ts';

export const operatorFaults = defineFaults('CHAIN', {
  refused: ['the contract refused the call', 'see the reason in the facts'],
  unreachable: ['the chain node does not answer', 'check the RPC URL and that the chain runs'],
  wrongNetwork: ['the chain is not the one of the deployment', 'use the RPC URL of that chain, or its own deployment'],
  noFunds: ['the account cannot pay for the transaction', 'send it some ether'],
  stakeTooLow: ['the stake is too low for the offered capacity', 'stake at least `needWei`, or offer less'],
  groupNotServing: ['the members of the group do not serve it yet', 'look at their logs; they follow the chain and retry'],
  tooFewProviders: ['too few providers offered what the cluster asks for', 'lower the replication factor or widen the regions'],
});
