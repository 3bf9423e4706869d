import { defineFaults } from '../errors/index.ts';

export const membershipFaults = defineFaults('MEMBERSHIP', {
  badRoster: ['the roster is empty or not strictly ascending', 'read it from the registry contract again'],
  otherGroup: ['the certificate is for another group', 'ask for the certificate of the group you read'],
  otherEpoch: ['the certificate is from another membership epoch', 'read the roster of that epoch from the chain, then check again'],
  wrongDetail: ['the details do not hash to what was signed', 'ask another replica'],
  wrongConfig: ['the checkpoint was made under another roster', 'read the roster of that epoch from the chain, then check again'],
  signerOrder: ['signatures are not strictly ascending by replica, or name no replica', 'ask another replica'],
  badSignature: ['a signature is not by the replica it names', 'ask another replica'],
  fewSignatures: ['too few replicas signed', 'ask another replica, or wait for the certificate'],
});
