/** What is mutated, and what must notice. */
export interface Target {
  readonly name: string;
  /** Mutated files, and the contracts that are compiled again for each. */
  readonly files: Readonly<Record<string, readonly string[]>>;
  /** Their fast tests, in the order in which they run. */
  readonly tests: readonly string[];
  /** Too large for the chain without the optimizer. */
  readonly optimize?: boolean;
}

const vault = ['StakeVault'];
const channels = ['PaymentChannels'];
const court = ['DisputeCourt'];
const both = ['DisputeCourt', 'JurorSeats'];
const slashers = ['SlasherConsensus', 'SlasherCertificates', 'SlasherAnswers'];

export const targets: readonly Target[] = [
  {
    name: 'vault', files: { StakeVault: vault, VaultStakes: vault, VaultRewards: vault, VaultModules: vault },
    tests: ['vault-edges', 'vault-faults', 'vault', 'registry', 'evidence'],
  },
  {
    name: 'slasher',
    files: {
      SlasherBase: slashers, SlasherConsensus: ['SlasherConsensus'], SlasherCertificates: ['SlasherCertificates'], SlasherAnswers: ['SlasherAnswers'],
    },
    tests: ['evidence-edges', 'evidence'],
  },
  {
    name: 'channels', files: { PaymentChannels: channels, 'libraries/Payouts': channels, 'libraries/NonReentrant': channels },
    tests: ['payments-edges', 'payments'],
  },
  {
    name: 'court',
    files: { DisputeCourt: court, DisputeCommittees: court, JurorSeats: ['JurorSeats'], 'libraries/DisputeMath': court, 'libraries/SeatOrder': both },
    tests: ['jurors', 'dispute', 'appeals'], optimize: true,
  },
];
