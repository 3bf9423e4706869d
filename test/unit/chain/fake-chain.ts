import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Interface, keccak256, toBeHex, Transaction } from 'ethers';
import { abis, contractNames, parseDeployment, type ContractName, type Deployment } from '../../../contracts/index.ts';
import type { Hex } from '../../../protocol/types/index.ts';

export const deployment: Deployment = parseDeployment(31_337n, contractNames.map((name, i) => ({
  name, address: toBeHex(i + 1, 20) as never, args: [], codeHash: '', blockNumber: 3,
})));

export interface FakeEvent {
  readonly contract: ContractName;
  readonly name: string;
  readonly args: readonly unknown[];
}

interface Block {
  readonly number: number;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: number;
  readonly events: readonly FakeEvent[];
}

type Params = readonly any[];

/** A JSON-RPC server on loopback whose chain does what the test says. */
export class FakeChain {
  private blocks: Block[] = [];
  private salt = 0;
  private server: Server | undefined;
  port = 0;
  chainId = 31_337n;
  down = false;
  /** Blocks that one getLogs may span. */
  maxSpan = Infinity;
  /** Blocks at the end that this server does not know yet. */
  lag = 0;
  /** What estimateGas answers with, when set. */
  refusal: { code: number; message: string; data?: unknown } | undefined;
  /** Transactions are mined only while true. */
  mining = true;
  readonly asked: string[] = [];
  readonly sent: Transaction[] = [];
  /** Transactions of the wallet that were mined, and that only the pool knows. */
  used = 0;
  ahead = 0;
  private readonly receipts = new Map<string, { status: string; blockNumber: string; gasUsed: string }>();

  constructor() {
    for (let i = 0; i < 3; i++) this.mine();
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get height(): number {
    return this.blocks.length - 1;
  }

  hashAt(number: number): Hex {
    return (this.blocks[number] as Block).hash;
  }

  mine(...events: FakeEvent[]): void {
    const number = this.blocks.length;
    const parentHash = this.blocks.at(-1)?.hash ?? (`0x${'00'.repeat(32)}` as Hex);
    const hash = keccak256(toBeHex(BigInt(number) * 1_000_000n + BigInt(this.salt), 32)) as Hex;
    this.blocks.push({ number, hash, parentHash, timestamp: 1_700_000_000 + number * 12, events });
  }

  mineEmpty(count: number): void {
    for (let i = 0; i < count; i++) this.mine();
  }

  /** Drops the newest blocks; what is mined next has other hashes. */
  revert(depth: number): void {
    this.blocks = this.blocks.slice(0, this.blocks.length - depth);
    this.salt += 1;
  }

  async listen(): Promise<void> {
    this.server = createServer((request, response) => {
      void readBody(request).then((body) => {
        if (this.down) {
          request.socket.destroy();
          return;
        }
        const { id, method, params } = JSON.parse(body);
        this.asked.push(method);
        response.end(JSON.stringify({ jsonrpc: '2.0', id, ...this.answer(method, params) }));
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(this.port, '127.0.0.1', resolve));
    this.port = (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }

  private get known(): Block[] {
    return this.lag === 0 ? this.blocks : this.blocks.slice(0, -this.lag);
  }

  private answer(method: string, params: Params): { result: unknown } | { error: unknown } {
    switch (method) {
      case 'eth_chainId': return { result: hex(this.chainId) };
      case 'eth_getBlockByNumber': return { result: this.header(params[0]) };
      case 'eth_getLogs': return this.logs(params[0]);
      case 'eth_estimateGas': return this.refusal === undefined ? { result: hex(80_000) } : { error: this.refusal };
      case 'eth_call': return this.refusal === undefined ? { result: '0x' } : { error: this.refusal };
      case 'eth_getTransactionCount': return { result: hex(this.used + (params[1] === 'pending' ? this.ahead : 0)) };
      case 'eth_maxPriorityFeePerGas': return { result: hex(1_000_000_000) };
      case 'eth_sendRawTransaction': return { result: this.accept(Transaction.from(params[0])) };
      case 'eth_getTransactionReceipt': return { result: this.receipts.get(params[0]) ?? null };
      default: return { error: { code: -32601, message: `no method ${method}` } };
    }
  }

  private accept(transaction: Transaction): string {
    this.sent.push(transaction);
    if (this.mining) this.include(transaction, '0x1');
    return transaction.hash as string;
  }

  include(transaction: Transaction, status: string): void {
    this.mine();
    this.used = Math.max(this.used, transaction.nonce + 1);
    this.receipts.set(transaction.hash as string, { status, blockNumber: hex(this.height), gasUsed: hex(70_000) });
  }

  private header(tag: string): unknown {
    const block = tag === 'latest' ? this.known.at(-1) : this.known[Number(tag)];
    if (block === undefined) return null;
    const { hash, parentHash, number, timestamp } = block;
    return { hash, parentHash, number: hex(number), timestamp: hex(timestamp), baseFeePerGas: hex(7) };
  }

  private logs({ blockHash, fromBlock, toBlock }: Record<string, string>): { result: unknown } | { error: unknown } {
    const [from, to] = [Number(fromBlock ?? 0), Number(toBlock ?? 0)];
    const tooMany = blockHash === undefined && to - from + 1 > this.maxSpan;
    if (tooMany) return { error: { code: -32005, message: 'query returned too many results' } };
    const inRange = (b: Block): boolean => b.number >= from && b.number <= to;
    const wanted = this.known.filter((b) => (blockHash === undefined ? inRange(b) : b.hash === blockHash));
    if (blockHash !== undefined && wanted.length === 0) return { error: { code: -32000, message: 'unknown block' } };
    return { result: wanted.flatMap((block) => block.events.map((event, i) => encodeLog(block, event, i))) };
  }
}

function encodeLog(block: Block, { contract, name, args }: FakeEvent, index: number): unknown {
  const abi = new Interface(abis[contract]);
  const { data, topics } = abi.encodeEventLog(abi.getEvent(name) as never, [...args]);
  return {
    address: deployment.addresses[contract], data, topics, blockNumber: hex(block.number), blockHash: block.hash, logIndex: hex(index),
    transactionIndex: '0x0', removed: false,
  };
}

function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request) body += chunk;
  return body;
}
