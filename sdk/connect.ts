import { Client, type IntegerMode } from './client.ts';
import { sdkFaults } from './errors.ts';
import { Payer, type PaymentOptions } from './keys/payment.ts';
import { walletFrom, type WalletInput } from './keys/wallet.ts';
import { Chain, type ChainOptions } from './net/chain.ts';
import { exchangeOver, nodeExchange, type Fetch } from './net/exchange.ts';
import { Nodes } from './net/nodes.ts';
import { ChainTrust, domainOf, NodeTrust, type Trust } from './net/trust.ts';
import { Picolo } from './picolo.ts';
import { nodeLocalSql, type LocalSql } from './write/local-sql.ts';

export interface ConnectOptions {
  /** Signs writes; readers need none. */
  readonly wallet?: WalletInput;
  /** The same: a private key. */
  readonly key?: string | Uint8Array;
  /** Where to read rosters and the signing contract from. Without it a node is believed, and `trust` is 'node'. */
  readonly chain?: ChainOptions;
  readonly payment?: PaymentOptions;
  readonly timeoutMs?: number;
  readonly fetch?: Fetch;
  /** SQLite for UPDATE and DELETE by condition; better-sqlite3 is found by itself in Node. */
  readonly localSql?: LocalSql;
  /** 'number' (default): whole numbers up to 2^53 are numbers, above bigint. */
  readonly integers?: IntegerMode;
}

const TIMEOUT_MS = 20_000;

/**
 * Connects to any node; the other replicas are found from there (P-4.1.2-client-any-node). Throws SDK_NO_NODE when none answers,
 * SDK_OTHER_CHAIN when a node serves another network than the chain given.
 */
export async function connect(target: string | readonly string[], options: ConnectOptions = {}): Promise<Picolo> {
  const fetcher: Fetch = options.fetch ?? ((url, init) => fetch(url, init));
  const urls = typeof target === 'string' ? [target] : target;
  const exchange = (options.fetch === undefined ? await nodeExchange() : undefined) ?? exchangeOver(fetcher);
  const nodes = new Nodes({ urls, timeoutMs: options.timeoutMs ?? TIMEOUT_MS, exchange });
  const input = options.wallet ?? options.key;
  const wallet = input === undefined ? undefined : await walletFrom(input);
  const trust = await trustOf(nodes, options.chain, fetcher);
  const payer = options.payment === undefined ? undefined : await Payer.create(trust.domain, options.payment, wallet);
  const localSql = options.localSql ?? await nodeLocalSql();
  return new Picolo(new Client({ nodes, trust, wallet, payer, localSql, integers: options.integers ?? 'number' }));
}

async function trustOf(nodes: Nodes, chainOptions: ChainOptions | undefined, fetcher: Fetch): Promise<Trust> {
  const status = await nodes.ask('status', {});
  for (const { apis } of status.groups) for (const api of apis) if (api !== '') nodes.add(api);
  const told = domainOf(status);
  if (chainOptions === undefined) return new NodeTrust(told, nodes);
  const chain = new Chain(chainOptions, fetcher);
  const domain = await chain.domain();
  if (told.chainId !== domain.chainId || told.verifyingContract !== domain.verifyingContract) {
    throw sdkFaults.otherChain({ node: status.node, chainId: told.chainId, expected: domain.chainId, contract: told.verifyingContract });
  }
  return new ChainTrust(domain, nodes, chain);
}
