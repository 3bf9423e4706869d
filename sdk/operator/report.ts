import type { Hex } from '../../protocol/types/index.ts';
import type { Network, Receipt } from './network.ts';

/** Sends evidence as anybody may; the reward goes to whom the evidence names. CHAIN_REFUSED with the contract's reason. */
export function reportEvidence(network: Network, evidence: { readonly offence: string; readonly call: Hex }): Promise<Receipt> {
  return network.sendRaw('SlasherObjective', evidence.call);
}
