import { Contract, Interface, JsonRpcProvider, Wallet, type ContractTransactionResponse, type InterfaceAbi } from 'ethers';
import { abis, contractNames, loadDeployment, type ContractName } from '../../contracts/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import { isPicoloError, type PicoloError } from '../../protocol/errors/index.ts';
import { addressFrom, type Address, type Hex } from '../../protocol/types/index.ts';
import { operatorFaults } from './faults.ts';

export interface Receipt {
  readonly hash: Hex;
  readonly gasUsed: bigint;
  readonly blockNumber: number;
}

/** A deployment of the contracts seen through one wallet. */
export interface Network {
  readonly provider: JsonRpcProvider;
  readonly wallet: Wallet;
  readonly account: Address;
  readonly domain: Domain;
  address(name: ContractName): Address;
  contract(name: ContractName): Contract;
  /** Sends a call and waits for its receipt; throws CHAIN_* with the contract's own reason. */
  send(name: ContractName, method: string, args: readonly unknown[], valueWei?: bigint): Promise<Receipt>;
  /** The same with calldata that was encoded elsewhere. */
  sendRaw(name: ContractName, data: Hex): Promise<Receipt>;
  /** Lets a contract take an amount of any ERC-20. */
  approve(token: Address, spender: Address, amountWei: bigint): Promise<void>;
  /** Events of one kind, oldest first. */
  events(name: ContractName, event: string, filter?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  close(): void;
}

/**
 * @param options.deployment folder with the records of `scripts/deploy.ts`; default `deployments/<chainId>`
 * @throws CHAIN_UNREACHABLE, CHAIN_WRONG_NETWORK, DEPLOYMENT_*
 */
export async function openNetwork(options: { readonly rpcUrl: string; readonly deployment?: string; readonly key: Hex }): Promise<Network> {
  const chainId = await chainIdOf(options.rpcUrl);
  const deployment = loadDeployment(chainId, options.deployment);
  const provider = new JsonRpcProvider(options.rpcUrl, Number(chainId), { staticNetwork: true, cacheTimeout: -1, pollingInterval: 100 });
  if ((await provider.getCode(deployment.addresses.StakeVault)) === '0x') {
    provider.destroy();
    throw operatorFaults.wrongNetwork({ chainId, vault: deployment.addresses.StakeVault });
  }
  const wallet = new Wallet(options.key, provider);
  const address = (name: ContractName): Address => deployment.addresses[name];
  const contract = (name: ContractName): Contract => new Contract(address(name), abis[name] as InterfaceAbi, wallet);
  return {
    provider,
    wallet,
    account: addressFrom(wallet.address),
    domain: deployment.domain,
    address,
    contract,
    async send(name, method, args, valueWei = 0n) {
      try {
        const call = contract(name).getFunction(method);
        const sent = (await call(...args, ...(valueWei > 0n ? [{ value: valueWei }] : []))) as ContractTransactionResponse;
        const receipt = await sent.wait();
        return { hash: sent.hash as Hex, gasUsed: receipt?.gasUsed ?? 0n, blockNumber: receipt?.blockNumber ?? 0 };
      } catch (error) {
        throw explain(error, name, method);
      }
    },
    async sendRaw(name, data) {
      try {
        const sent = await wallet.sendTransaction({ to: address(name), data });
        const receipt = await sent.wait();
        return { hash: sent.hash as Hex, gasUsed: receipt?.gasUsed ?? 0n, blockNumber: receipt?.blockNumber ?? 0 };
      } catch (error) {
        throw explain(error, name, data.slice(0, 10));
      }
    },
    async approve(token, spender, amountWei) {
      try {
        const sent = (await new Contract(token, abis.PintToken as InterfaceAbi, wallet).getFunction('approve')(spender, amountWei)) as ContractTransactionResponse;
        await sent.wait();
      } catch (error) {
        throw explain(error, 'PintToken', 'approve');
      }
    },
    async events(name, event, filter = []) {
      const handle = contract(name);
      const wanted = handle.filters[event];
      if (wanted === undefined) throw operatorFaults.refused({ reason: `no event ${event} in ${name}` });
      const logs = await handle.queryFilter(wanted(...filter), 0, 'latest').catch((error: unknown) => {
        throw explain(error, name, event);
      });
      return logs.map((log) => ('args' in log ? { ...log.args.toObject(), blockNumber: log.blockNumber, transactionHash: log.transactionHash } : {}));
    },
    close: () => provider.destroy(),
  };
}

const everyError = new Interface(
  contractNames.flatMap((name) => (abis[name] as readonly { readonly type: string }[]).filter((entry) => entry.type === 'error')),
);

async function chainIdOf(rpcUrl: string): Promise<bigint> {
  try {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_chainId', params: [] });
    const response = await fetch(rpcUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return BigInt(((await response.json()) as { result: string }).result);
  } catch (error) {
    throw operatorFaults.unreachable({ rpcUrl }, error);
  }
}

/** A provider library's failure as a coded fault with the contract's own words. */
function explain(error: unknown, contract: string, method: string): PicoloError {
  if (isPicoloError(error)) return error;
  const raw = error as { code?: string; data?: string; reason?: string; shortMessage?: string; message?: string };
  const data = findRevertData(error);
  const parsed = data === undefined ? null : everyError.parseError(data);
  if (parsed?.name === 'StakeTooLow') return operatorFaults.stakeTooLow({ needWei: parsed.args[0] as bigint, contract, method }, error);
  if (parsed !== null) {
    return operatorFaults.refused({ contract, method, reason: `${parsed.name}(${parsed.args.map(String).join(', ')})` }, error);
  }
  if (raw.code === 'INSUFFICIENT_FUNDS') return operatorFaults.noFunds({ contract, method }, error);
  if (raw.code === 'NETWORK_ERROR' || /ECONNREFUSED|fetch failed/.test(raw.message ?? '')) return operatorFaults.unreachable({ contract, method }, error);
  return operatorFaults.refused({ contract, method, reason: (raw.reason ?? raw.shortMessage ?? raw.message ?? 'unknown').slice(0, 200) }, error);
}

/** Providers nest the revert data differently; it is the first hex string called `data`. */
function findRevertData(error: unknown, depth = 0): string | undefined {
  if (typeof error !== 'object' || error === null || depth > 5) return undefined;
  const record = error as Record<string, unknown>;
  const data = record['data'];
  if (typeof data === 'string' && /^0x[0-9a-f]{8}/i.test(data)) return data;
  for (const key of ['data', 'error', 'info', 'cause']) {
    const found = findRevertData(record[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
