import { keccak256, Wallet } from 'ethers';
import { hexOf, type Address, type Hex } from '../../protocol/types/index.ts';
import type { Clock, SubmittedTransaction } from '../ports/index.ts';
import { chainFaults } from './faults.ts';
import { revertFault } from './reverts.ts';
import { quantity, RpcRefusal, toQuantity, type Rpc } from './rpc.ts';

export interface SenderOptions {
  readonly rpc: Rpc;
  readonly clock: Clock;
  readonly chainId: bigint;
  /** The operator's wallet, not the node's hot key. */
  readonly privateKey: Uint8Array;
  readonly pollMs: number;
  /** Unmined for this long: offer a quarter more. */
  readonly bumpMs: number;
  readonly attempts: number;
}

interface Fees {
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

interface Call extends Fees {
  readonly to: Address;
  readonly data: Hex;
  readonly value: bigint;
  readonly gasLimit: bigint;
  readonly nonce: number;
}

const DEFAULT_TIP_WEI = 1_000_000_000n;

/**
 * Sends transactions one after another, so that nonces are never guessed. Each is simulated first: a
 * refusal costs nothing and comes back with its reason. One that is not mined is replaced at a higher
 * fee under the same nonce, so it can never be executed twice.
 */
export class Sender {
  private readonly options: SenderOptions;
  private readonly wallet: Wallet;
  private last: Promise<unknown> = Promise.resolve();
  private closed = false;

  constructor(options: SenderOptions) {
    this.options = options;
    this.wallet = new Wallet(hexOf(options.privateKey));
  }

  /** `valueWei` may depend on the price of gas. Throws CHAIN_REVERTED, CHAIN_SETTLED, CHAIN_NO_FUNDS, CHAIN_LOST, CHAIN_UNREACHABLE, CHAIN_REFUSED, CHAIN_CLOSED. */
  send(to: Address, data: Hex, valueWei: (maxFeePerGas: bigint) => bigint = () => 0n): Promise<SubmittedTransaction> {
    const result = this.last.then(() => this.perform(to, data, valueWei));
    this.last = result.catch(() => undefined);
    return result;
  }

  close(): void {
    this.closed = true;
  }

  /** Again from the start when another program with this wallet was quicker with the nonce. */
  private async perform(to: Address, data: Hex, valueWei: (maxFeePerGas: bigint) => bigint): Promise<SubmittedTransaction> {
    const from = this.wallet.address;
    try {
      for (let attempt = 0; attempt < this.options.attempts; attempt++) {
        const fees = await this.fees();
        const value = valueWei(fees.maxFeePerGas);
        const gas = quantity(await this.call('eth_estimateGas', [{ from, to, data, value: toQuantity(value) }]), 'gas');
        const nonce = await this.nonce('pending');
        const mined = await this.untilMined({ to, data, value, nonce, gasLimit: gas + gas / 4n, ...fees });
        if (mined !== 'nonce taken') return mined;
      }
    } catch (error) {
      throw error instanceof RpcRefusal ? revertFault(error) : error;
    }
    throw chainFaults.lost({ wallet: from, reason: 'another program uses this wallet' });
  }

  private async nonce(tag: 'pending' | 'latest'): Promise<number> {
    return Number(quantity(await this.call('eth_getTransactionCount', [this.wallet.address, tag]), 'nonce'));
  }

  private async untilMined(first: Call): Promise<SubmittedTransaction | 'nonce taken'> {
    const { attempts, bumpMs, clock } = this.options;
    const hashes: Hex[] = [];
    let call = first;
    for (let attempt = 0; attempt < attempts; attempt++) {
      hashes.push(await this.broadcast(call));
      const giveUpMs = clock.nowMs() + bumpMs;
      do {
        const used = (await this.nonce('latest')) > call.nonce; // asked first: a receipt may appear in between
        const mined = await this.mined(hashes, call);
        if (mined !== undefined) return mined;
        if (used) return 'nonce taken';
        await this.pause();
      } while (clock.nowMs() < giveUpMs);
      call = { ...call, maxFeePerGas: raised(call.maxFeePerGas), maxPriorityFeePerGas: raised(call.maxPriorityFeePerGas) };
    }
    throw chainFaults.lost({ hash: hashes.at(-1), nonce: first.nonce });
  }

  private async broadcast(call: Call): Promise<Hex> {
    const { chainId } = this.options;
    const raw = await this.wallet.signTransaction({ type: 2, chainId, ...call });
    try {
      return (await this.call('eth_sendRawTransaction', [raw])) as Hex;
    } catch (error) {
      // the pool has it, or an earlier version of it was mined meanwhile: its receipt will tell
      if (error instanceof RpcRefusal && /already known|nonce too low|underpriced/i.test(error.message)) return keccak256(raw) as Hex;
      throw error;
    }
  }

  /** Any version may be the one that was mined. */
  private async mined(hashes: readonly Hex[], call: Call): Promise<SubmittedTransaction | undefined> {
    for (const hash of hashes) {
      const receipt = (await this.call('eth_getTransactionReceipt', [hash])) as Record<string, unknown> | null;
      if (receipt === null) continue;
      const blockNumber = quantity(receipt['blockNumber'], 'blockNumber');
      if (receipt['status'] !== '0x1') await this.explain(call, blockNumber, hash);
      return { hash, gasUsed: quantity(receipt['gasUsed'], 'gasUsed'), blockNumber };
    }
    return undefined;
  }

  /** A mined refusal carries no reason: ask for it again at that block. Always throws. */
  private async explain(call: Call, blockNumber: bigint, hash: Hex): Promise<never> {
    await this.call('eth_call', [{ from: this.wallet.address, to: call.to, data: call.data, value: toQuantity(call.value) }, toQuantity(blockNumber)]);
    throw chainFaults.reverted({ hash, reason: 'unknown; perhaps out of gas' });
  }

  private async fees(): Promise<Fees> {
    const head = (await this.call('eth_getBlockByNumber', ['latest', false])) as Record<string, unknown> | null;
    const base = head?.['baseFeePerGas'] === undefined ? 0n : quantity(head['baseFeePerGas'], 'baseFeePerGas');
    const tip = await this.call('eth_maxPriorityFeePerGas', []).then((value) => quantity(value, 'tip'), () => DEFAULT_TIP_WEI);
    return { maxFeePerGas: 2n * base + tip, maxPriorityFeePerGas: tip };
  }

  private call(method: string, params: readonly unknown[]): Promise<unknown> {
    if (this.closed) throw chainFaults.closed();
    return this.options.rpc.call(method, params);
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => this.options.clock.after(this.options.pollMs, resolve));
  }
}

function raised(wei: bigint): bigint {
  return wei + wei / 4n + 1n;
}
