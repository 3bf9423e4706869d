/**
 * What a deployment is made of: parameters of a network, and the constructor arguments that follow from them.
 * `contracts/networks/<name>.json` holds the parameters; durations may be written "22 d" or "1 h", amounts "1000 PINT".
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isAddress, parseEther } from 'ethers';
import type { ContractName } from '../contracts/index.ts';

/** A part of the genesis supply; without a duration it is liquid at once. */
export interface Grant {
  readonly to: Party;
  readonly amountWei: bigint;
  readonly duration: bigint;
  readonly cliff: bigint;
}

/** An address, or who takes part in the deployment anyway: `authority` is the treasury. */
export type Party = `0x${string}` | 'deployer' | 'authority';

/** Periods in seconds, amounts in wei (docs/contracts). */
export interface DeployParameters {
  readonly unbonding: bigint;
  readonly evidenceWindow: bigint;
  readonly dispute: bigint;
  readonly minStakeWei: bigint;
  readonly stakePerGibWei: bigint;
  readonly stakePerVcpuWei: bigint;
  readonly feeLockBps: bigint;
  readonly ladderService: bigint;
  readonly ladderFeesWei: bigint;
  readonly drawDelayBlocks: bigint;
  readonly votingDelay: bigint;
  readonly votingPeriod: bigint;
  readonly lateQuorumExtension: bigint;
  readonly proposalThresholdWei: bigint;
  /** The whole genesis supply. */
  readonly grants: readonly Grant[];
  /** Guardian of the first year. */
  readonly guardian: Party;
  /** Roots whose certificates count from the beginning. */
  readonly issuers: readonly Party[];
  /** Admin of the vault's slashers; anything but `authority` is for tests. */
  readonly vaultAdmin: Party;
}

const secondsOf: Readonly<Record<string, bigint>> = { s: 1n, h: 3_600n, d: 86_400n };

type At = Readonly<Record<ContractName, string>>;

/** Parameters of a file; throws when one is missing or cannot be read. */
export function readParameters(file: string): DeployParameters {
  return parsed(JSON.parse(readFileSync(file, 'utf8'))) as DeployParameters;
}

export const defaultParameters = readParameters(fileURLToPath(new URL('../contracts/networks/local.json', import.meta.url)));

/** Constructor arguments; many contracts know each other, so addresses come from the prediction. */
export function planOf(deployer: string, p: DeployParameters, at: At): Record<ContractName, readonly unknown[]> {
  const party = (who: Party): string => partyAddress(who, deployer, at);
  return {
    PintToken: [at.Authority, p.grants.map((grant) => [party(grant.to), grant.amountWei, grant.duration, grant.cliff])],
    StakeVault: [
      at.PintToken, at.NodeRegistry, party(p.vaultAdmin), [p.unbonding, p.evidenceWindow, p.dispute],
      [at.SlasherConsensus, at.SlasherAnswers, at.SlasherCertificates, at.AvailabilityCourt, at.DisputeCourt],
    ],
    SystemParams: [at.Authority, at.StakeVault, at.PintToken, genesisOf(p)],
    StakeVotes: [at.StakeVault],
    PintGovernor: [
      at.PintToken, at.StakeVotes, at.Authority, [p.votingDelay, p.votingPeriod, p.proposalThresholdWei, p.lateQuorumExtension],
    ],
    Authority: [at.PintGovernor, party(p.guardian), p.issuers.map(party), at.StakeVault, at.SystemParams, at.PintToken],
    NodeRegistry: [at.StakeVault, at.SystemParams, at.ClusterRegistry, at.ClusterSplitter],
    ClusterRegistry: [at.StakeVault, at.NodeRegistry, at.SystemParams],
    SlasherConsensus: [at.StakeVault, at.ClusterRegistry],
    SlasherAnswers: [at.StakeVault, at.ClusterRegistry],
    SlasherCertificates: [at.StakeVault, at.ClusterRegistry],
    PaymentChannels: [at.StakeVault],
    ClusterSplitter: [at.PaymentChannels, at.ClusterRegistry, at.StakeVault, at.NodeRegistry],
    AccessDeposits: [at.PintToken],
    CheckpointAnchor: [at.StakeVault, at.ClusterRegistry],
    QueryOracle: [at.StakeVault, at.ClusterRegistry],
    DataMarket: [],
    AvailabilityCourt: [at.StakeVault, at.ClusterRegistry, at.NodeRegistry],
    JurorSeats: [at.StakeVault, at.PintToken, at.DisputeCourt],
    DisputeCourt: [at.StakeVault, at.PintToken, at.JurorSeats, at.ClusterRegistry, at.SystemParams],
  };
}

export function partyAddress(who: Party, deployer: string, at: At): string {
  return who === 'deployer' ? deployer : who === 'authority' ? at.Authority : who;
}

/** First values of `SystemParams`, in the order of its struct. */
export function genesisOf(p: DeployParameters): readonly (readonly bigint[])[] {
  return [
    [p.minStakeWei, p.stakePerGibWei, p.stakePerVcpuWei], [p.feeLockBps, p.evidenceWindow],
    [p.ladderService, p.ladderFeesWei], [p.drawDelayBlocks],
  ];
}

function parsed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(parsed);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, parsed(part)]));
  const text = String(value);
  if (text === 'deployer' || text === 'authority' || isAddress(text)) return text;
  const [, digits, unit] = /^(\d+)(?: (s|h|d|PINT))?$/.exec(text) ?? [];
  if (digits === undefined) throw new Error(`DEPLOY_BAD_PARAMETER: "${text}" is no number, duration, amount or address`);
  return unit === 'PINT' ? parseEther(digits) : BigInt(digits) * (secondsOf[unit ?? 's'] as bigint);
}
