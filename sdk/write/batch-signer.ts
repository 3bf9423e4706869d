import { limits } from '../../protocol/limits/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import { batchOf, txIdOf, type TransactionHeader, type WriterSignature } from '../../protocol/rows/index.ts';
import type { Wallet } from '../keys/wallet.ts';

/** How long a transaction that could be signed waits for others that are being prepared. */
const WINDOW_MS = 2;

interface Waiting {
  readonly header: TransactionHeader;
  resolve(signature: WriterSignature): void;
  reject(error: unknown): void;
}

/**
 * One signature for transactions that are committed at the same time (0130): replicas pay one check for all of them, a wallet with
 * a user behind it asks once. A transaction that is alone is signed at once, with a signature of its own.
 */
export class BatchSigner {
  private readonly domain: Domain;
  private readonly wallet: Wallet;
  private open = 0;
  private waiting: Waiting[] = [];
  private window: ReturnType<typeof setTimeout> | undefined;
  private signing = false;

  constructor(domain: Domain, wallet: Wallet) {
    this.domain = domain;
    this.wallet = wallet;
  }

  /** Prepares a transaction up to its signature; others that are ready wait for it, within the window. */
  async preparing<T>(work: () => Promise<T>): Promise<T> {
    this.open += 1;
    try {
      return await work();
    } finally {
      this.open -= 1;
      this.consider();
    }
  }

  sign(header: TransactionHeader): Promise<WriterSignature> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ header, resolve, reject });
      queueMicrotask(() => this.consider()); // what becomes ready in the same turn comes along
    });
  }

  /** Signs when nobody is left to wait for; what comes while a wallet is asked goes into its next question. */
  private consider(): void {
    if (this.signing || this.waiting.length === 0) return;
    if (this.waiting.length >= Math.min(this.open, limits.transactionsPerSignature)) void this.flush();
    else this.window ??= setTimeout(() => void this.flush(), WINDOW_MS);
  }

  private async flush(): Promise<void> {
    clearTimeout(this.window);
    this.window = undefined;
    if (this.signing) return;
    const ready = this.waiting.splice(0, limits.transactionsPerSignature);
    this.signing = true;
    try {
      const signatures = await this.signAll(ready.map(({ header }) => header));
      ready.forEach(({ resolve }, i) => resolve(signatures[i] as WriterSignature));
    } catch (error) {
      for (const { reject } of ready) reject(error);
    } finally {
      this.signing = false;
      this.consider();
    }
  }

  private async signAll(headers: readonly TransactionHeader[]): Promise<readonly WriterSignature[]> {
    const [only, ...more] = headers;
    if (only !== undefined && more.length === 0) return [await this.wallet.sign(this.domain, 'Transaction', only)];
    const batch = batchOf(this.wallet.address, headers.map((header) => ({ id: txIdOf(this.domain, header), notAfter: header.notAfter })));
    return batch.shares(await this.wallet.sign(this.domain, 'TxBatch', batch.value));
  }
}
