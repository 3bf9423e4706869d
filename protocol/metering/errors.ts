import { defineFaults } from '../errors/index.ts';

export const paymentFaults = defineFaults('PAYMENT', {
  required: ['served work is unpaid beyond the threshold of the cluster', 'send a voucher for at least the amount due, then repeat the request'],
  staleVoucher: ['the voucher does not raise the amount already promised', 'send a voucher with a higher cumulative amount'],
  overdrawn: ['the voucher promises more than the channel holds', 'top the channel up, then send the voucher again'],
  wrongChannel: ['the voucher is for another channel or signer', "use the channel that the cluster's owner opened"],
});
