import type { EncodedEvidence } from '../../protocol/evidence/index.ts';
import type { Network, Receipt } from './network.ts';

/** Sends evidence as anybody may; the reward goes to whom the evidence names. CHAIN_REFUSED with the contract's reason. */
export function reportEvidence(network: Network, evidence: EncodedEvidence): Promise<Receipt> {
  return network.sendRaw(evidence.slasher, evidence.call);
}
