import { Interface } from 'ethers';
import { abis } from '../../contracts/index.ts';
import type { Address, Hex } from '../../protocol/types/index.ts';
import type { ChainPort } from '../ports/index.ts';
import { chainFaults } from './faults.ts';
import type { Sender } from './sender.ts';

const abi = new Interface(abis.AvailabilityCourt);
/** `ANSWER_GAS` of the court; the least price that it counts with, in wei. */
const ANSWER_GAS = 120_000n;
const LEAST_PRICE_WEI = 1_000_000_000n;

/** What a node sends to the availability court by itself. */
export function createCourtCalls(court: Address, sender: Sender | undefined): Pick<ChainPort, 'answerChallenge' | 'openChallenge'> {
  return {
    async answerChallenge({ group, node }, cell) {
      if (sender === undefined) throw chainFaults.noWallet();
      return sender.send(court, abi.encodeFunctionData('respond', [group, node, cell]) as Hex);
    },
    async openChallenge(path, question) {
      if (sender === undefined) throw chainFaults.noWallet();
      // a fee cap is twice the base fee and a tip, as is the bond: it holds until the price has doubled
      const bond = (maxFeePerGas: bigint): bigint => ANSWER_GAS * (2n * maxFeePerGas + LEAST_PRICE_WEI);
      return sender.send(court, abi.encodeFunctionData('open', [path, question]) as Hex, bond);
    },
  };
}
