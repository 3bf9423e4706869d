import { addressFrom, type Hex } from '../../protocol/types/index.ts';
import type { BlockRef, Chronicle, PastEvent, ReadBlock } from './chronicle.ts';
import type { EventDecoder } from './events.ts';
import { chainFaults } from './faults.ts';
import { quantity, RpcRefusal, toQuantity, type Rpc } from './rpc.ts';

export interface ReaderOptions {
  readonly rpc: Rpc;
  readonly decoder: EventDecoder;
  readonly chronicle: Chronicle;
  readonly chainId: bigint;
  /** First block with events of the deployment. */
  readonly fromBlock: bigint;
  /** Blocks that must stand on top before a block counts. */
  readonly confirmations: bigint;
  readonly windowBlocks: number;
  readonly maxRange?: number;
}

interface RawLog {
  readonly address: string;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: string;
  readonly blockHash: Hex;
  readonly logIndex: string;
  readonly removed?: boolean;
}

/** Blocks whose headers and logs are fetched at once. */
const PARALLEL = 16;

/**
 * Follows the chain by asking, never by subscription: filters of providers lose or repeat logs across
 * reorganisations. Near the head each block is read by its *hash* and must extend the one before it;
 * when the chain no longer has a block that was read, everything above the last common one is taken
 * back. Older history comes in bounded ranges.
 */
export class EventReader {
  private readonly options: ReaderOptions;
  private range: number;
  private networkChecked = false;

  constructor(options: ReaderOptions) {
    this.options = options;
    this.range = options.maxRange ?? 10_000;
  }

  /** Brings the chronicle up to the chain. Throws CHAIN_*; what was read until then stays. */
  async poll(): Promise<void> {
    try {
      if (!this.networkChecked) await this.checkNetwork();
      await this.advance();
    } catch (error) {
      this.networkChecked = false; // whoever answers next may be another provider
      if (error instanceof RpcRefusal) throw chainFaults.refused({ reason: error.message }, error);
      throw error;
    }
  }

  private async checkNetwork(): Promise<void> {
    const { rpc, chainId } = this.options;
    const got = quantity(await rpc.call('eth_chainId', []), 'chainId');
    if (got !== chainId) throw chainFaults.wrongNetwork({ expected: chainId, got });
    this.networkChecked = true;
  }

  private async advance(): Promise<void> {
    const { confirmations, windowBlocks } = this.options;
    const head = await this.block('latest');
    if (head === undefined) throw chainFaults.malformed({ field: 'latest block' });
    await this.rewind(head);
    const target = head.number - confirmations;
    await this.readPast(target - BigInt(windowBlocks));
    await this.readRecent(target);
  }

  /** Finds the newest block that both we and the chain have; takes back what is above it. */
  private async rewind(head: BlockRef): Promise<void> {
    const { chronicle } = this.options;
    const comparable = chronicle.landmarks.filter((block) => block.number <= head.number);
    for (const [i, known] of comparable.entries()) {
      const now = known.number === head.number ? head : await this.block(toQuantity(known.number));
      if (now?.hash !== known.hash) continue;
      if (i > 0) chronicle.undoAbove(known.number); // at 0 nothing contradicts us: a provider that lags is no reorganisation
      return;
    }
    chronicle.reset();
  }

  private async readPast(boundary: bigint): Promise<void> {
    const { chronicle, fromBlock } = this.options;
    for (let from = this.next(fromBlock); from <= boundary; from = this.next(fromBlock)) {
      const to = from + BigInt(this.range) - 1n < boundary ? from + BigInt(this.range) - 1n : boundary;
      const logs = await this.pastLogs(from, to);
      if (logs === undefined) continue; // refused: the range is smaller now
      const upTo = await this.mustHave(to);
      chronicle.appendPast(await this.dated(logs), upTo);
    }
  }

  /** Undefined when the provider refused the range, which is halved then. */
  private async pastLogs(from: bigint, to: bigint): Promise<readonly RawLog[] | undefined> {
    try {
      const logs = await this.logs({ fromBlock: toQuantity(from), toBlock: toQuantity(to) });
      this.range = Math.min(this.range * 2, this.options.maxRange ?? 10_000);
      return logs;
    } catch (error) {
      if (!(error instanceof RpcRefusal) || this.range === 1) throw error;
      this.range = Math.max(1, Math.floor(this.range / 2));
      return undefined;
    }
  }

  private async dated(logs: readonly RawLog[]): Promise<PastEvent[]> {
    const times = new Map<string, bigint>();
    const out: PastEvent[] = [];
    for (const log of logs) {
      const event = this.decode(log);
      if (event === undefined) continue;
      let timestamp = times.get(log.blockNumber);
      if (timestamp === undefined) times.set(log.blockNumber, (timestamp = (await this.mustHave(BigInt(log.blockNumber))).timestamp));
      out.push({ event, timestamp });
    }
    return out;
  }

  private async readRecent(target: bigint): Promise<void> {
    const { chronicle, fromBlock } = this.options;
    for (let from = this.next(fromBlock); from <= target; from = this.next(fromBlock)) {
      const count = target - from + 1n < BigInt(PARALLEL) ? Number(target - from + 1n) : PARALLEL;
      const numbers = Array.from({ length: count }, (_, i) => from + BigInt(i));
      const blocks = await Promise.all(numbers.map((number) => this.readBlock(number)));
      for (const block of blocks) {
        const { tip } = chronicle;
        if (tip !== undefined && block.parentHash !== tip.hash) throw chainFaults.moved({ block: block.number });
        chronicle.append(block);
      }
    }
  }

  private async readBlock(number: bigint): Promise<ReadBlock> {
    const block = await this.mustHave(number);
    const logs = await this.logs({ blockHash: block.hash }).catch((error: unknown) => {
      if (error instanceof RpcRefusal) throw chainFaults.moved({ block: number, reason: error.message }, error);
      throw error;
    });
    if (logs.some((log) => log.blockHash !== block.hash)) throw chainFaults.moved({ block: number });
    return { ...block, events: logs.map((log) => this.decode(log)).filter((event) => event !== undefined) };
  }

  private decode(log: RawLog): ReturnType<EventDecoder['decode']> {
    try {
      return this.options.decoder.decode({ address: addressFrom(log.address), topics: log.topics, data: log.data });
    } catch (error) {
      throw chainFaults.malformed({ field: 'log', block: log.blockNumber }, error);
    }
  }

  private next(fromBlock: bigint): bigint {
    const { tip } = this.options.chronicle;
    return tip === undefined ? fromBlock : tip.number + 1n;
  }

  private async logs(where: Readonly<Record<string, string>>): Promise<readonly RawLog[]> {
    const { rpc, decoder } = this.options;
    const logs = await rpc.call('eth_getLogs', [{ ...where, address: decoder.addresses, topics: [decoder.topics] }]);
    if (!Array.isArray(logs) || !logs.every(isLog)) throw chainFaults.malformed({ field: 'logs' });
    return logs.filter((log) => log.removed !== true).sort(byPosition);
  }

  private async mustHave(number: bigint): Promise<BlockRef> {
    const block = await this.block(toQuantity(number));
    if (block === undefined) throw chainFaults.moved({ block: number });
    return block;
  }

  private async block(tag: string): Promise<BlockRef | undefined> {
    const raw = await this.options.rpc.call('eth_getBlockByNumber', [tag, false]);
    if (raw === null) return undefined;
    const { number, hash, parentHash, timestamp } = raw as Record<string, unknown>;
    if (typeof hash !== 'string' || typeof parentHash !== 'string') throw chainFaults.malformed({ field: 'block' });
    const [height, seconds] = [quantity(number, 'number'), quantity(timestamp, 'timestamp')];
    return { number: height, hash: hash as Hex, parentHash: parentHash as Hex, timestamp: seconds };
  }
}

function isLog(raw: unknown): raw is RawLog {
  if (typeof raw !== 'object' || raw === null) return false;
  const { address, topics, data, blockNumber, blockHash, logIndex } = raw as Record<string, unknown>;
  return [address, data, blockNumber, blockHash, logIndex].every((field) => typeof field === 'string') && Array.isArray(topics);
}

function byPosition(a: RawLog, b: RawLog): number {
  return Number(BigInt(a.blockNumber) - BigInt(b.blockNumber)) || Number(BigInt(a.logIndex) - BigInt(b.logIndex));
}

