import type { ContractName } from '../../contracts/index.ts';
import { operatorFaults } from './faults.ts';
import type { Network } from './network.ts';

/** The contracts as one block left them. A view that asks several times asks one moment, or it mixes what was never true together. */
export interface Moment {
  /** Of the block, in unix seconds. */
  readonly atS: bigint;
  read<T>(contract: ContractName, view: string, ...args: readonly unknown[]): Promise<T>;
}

/** The newest block. */
export async function momentOf(network: Network): Promise<Moment> {
  const block = await network.provider.getBlock('latest');
  if (block === null) throw operatorFaults.unreachable({ block: 'latest' });
  return {
    atS: BigInt(block.timestamp),
    read: async (contract, view, ...args) => await network.contract(contract).getFunction(view)(...args, { blockTag: block.number }),
  };
}
