/** What every bench takes. */
export interface BenchOptions {
  /** One short round, to see that it works. */
  readonly quick: boolean;
  /** Folder for CPU profiles of replicas and load generator. */
  readonly profileDir: string | undefined;
  /** Only these numbers of clients. */
  readonly clients: readonly number[] | undefined;
  readonly rows: readonly number[] | undefined;
  /** How many wallets the clients share; one each when left out. */
  readonly wallets: number | undefined;
  /** Clock window of the group (consensus §2.10): latency on a calm machine, endurance on a busy one. */
  readonly windowMs: number | undefined;
  /** Everything through the leader. */
  readonly classicOnly: boolean;
}

export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmupSeconds: number;
}

export const roundsOf = ({ quick }: BenchOptions): Rounds => (quick ? { rounds: 1, seconds: 4, warmupSeconds: 2 } : { rounds: 3, seconds: 6, warmupSeconds: 2 });
