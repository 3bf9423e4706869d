import { keccak256, toUtf8Bytes } from 'ethers';
import type { SignedStatement } from '../../protocol/query/index.ts';
import { addressFrom, hash32From, hexOf, type Address, type GroupId, type Hash32, type Hex } from '../../protocol/types/index.ts';
import { headerOf } from './draw.ts';
import { operatorFaults } from './faults.ts';
import { jurorOf } from './juror.ts';
import { momentOf, type Moment } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** Claims by their place in the contract. */
export const disputeKinds = ['wrong-result', 'withheld', 'false-egress', 'false-region'] as const;
export type DisputeKind = (typeof disputeKinds)[number];
export const disputeVerdicts = ['open', 'undecided', 'upheld', 'rejected'] as const;
export type DisputeVerdict = (typeof disputeVerdicts)[number];
/** What can be done now. 'overdue': settle it. */
export type DisputePhase = 'answer' | 'commit' | 'reveal' | 'appeal' | 'overdue' | 'settled';

/** A place of a committee. */
export interface CommitteePlace {
  readonly place: number;
  readonly seat: bigint;
  readonly juror: Address;
  readonly committed: boolean;
  /** 'open' until it is revealed. */
  readonly vote: DisputeVerdict;
}

/** A dispute; times in unix seconds. */
export interface DisputeView {
  readonly dispute: bigint;
  readonly kind: DisputeKind;
  readonly node: Address;
  readonly plaintiff: Address;
  readonly claim: Hash32;
  readonly group: GroupId;
  readonly uri: string;
  readonly openedAt: bigint;
  readonly answered: boolean;
  readonly appealed: boolean;
  readonly verdict: DisputeVerdict;
  readonly phase: DisputePhase;
  /** What a verdict against the node would take of its stake now: its part, or what the caps of a week leave. */
  readonly penaltyWei: bigint;
  /** Last second of the phase; zero when nothing ends any more. */
  readonly phaseEnds: bigint;
  readonly round: number;
  readonly seedBlock: bigint;
  /** Of the current round, as far as it was drawn. */
  readonly committee: readonly CommitteePlace[];
}

/** A juror's vote and what opens it. */
export interface Ballot {
  readonly dispute: bigint;
  readonly round: number;
  readonly place: number;
  readonly vote: 'upheld' | 'rejected';
  readonly salt: Hex;
}

interface RawDispute {
  readonly plaintiff: string; readonly node: string; readonly claim: string; readonly group: string; readonly openedAt: bigint;
  readonly kind: bigint; readonly verdict: bigint; readonly answered: boolean; readonly appealed: boolean;
}

/**
 * Disputes a signed result of general SQL, with the plaintiff's bond: a file of `signedResult`, or one side of a contradiction that the
 * client met (`picolo.lies`). `uri` is where jurors find question, rows and signature.
 * @throws CHAIN_REFUSED with the court's reason (NotQuerier, AlreadyDisputed, EvidenceExpired, …)
 */
export async function disputeResult(
  network: Network, { statement, signature }: Pick<SignedStatement, 'statement' | 'signature'>, uri: string,
): Promise<Receipt & { readonly dispute: bigint }> {
  await payBond(network, 'BOND');
  return opened(network, await network.send('DisputeCourt', 'openStatement', [statement, signature, uri]));
}

/** Accuses a node of something else that no contract can judge; `claim` is a hash of the evidence at `uri`. */
export async function openDispute(
  network: Network, kind: Exclude<DisputeKind, 'wrong-result'>, node: Address, claim: Hash32, uri: string,
): Promise<Receipt & { readonly dispute: bigint }> {
  await payBond(network, 'BOND');
  return opened(network, await network.send('DisputeCourt', 'open', [disputeKinds.indexOf(kind), node, claim, uri]));
}

/** The accused's answer, with a bond against the plaintiff's. The wallet owns the node. */
export async function answerDispute(network: Network, dispute: bigint, uri: string): Promise<Receipt> {
  await payBond(network, 'BOND');
  return network.send('DisputeCourt', 'answer', [dispute, keccak256(toUtf8Bytes(uri)), uri]);
}

/** Takes a verdict before a larger committee. The wallet is the party that lost. */
export async function appealDispute(network: Network, dispute: bigint, uri: string): Promise<Receipt> {
  await payBond(network, 'APPEAL_BOND');
  return network.send('DisputeCourt', 'appeal', [dispute, keccak256(toUtf8Bytes(uri)), uri]);
}

/** Draws the committee of the current round, in as many calls as it takes; anybody may. CHAIN_REFUSED while the block does not exist. */
export async function drawCommittee(network: Network, dispute: bigint): Promise<readonly CommitteePlace[]> {
  const { seedBlock } = await disputeById(network, dispute);
  const header = await headerOf(network.provider, seedBlock);
  for (;;) {
    const receipt = await network.send('DisputeCourt', 'draw', [dispute, header]);
    const drawn = await network.events('DisputeCourt', 'CommitteeDrawn', [dispute]);
    if (drawn.some((event) => event['transactionHash'] === receipt.hash)) return (await disputeById(network, dispute)).committee;
  }
}

/** Ballots for all places that the wallet holds and has not committed for. Keep them before anything is sent: only they open the votes. */
export async function newBallots(network: Network, dispute: bigint, vote: Ballot['vote']): Promise<readonly Ballot[]> {
  const { round, committee } = await disputeById(network, dispute);
  const mine = committee.filter(({ juror, committed }) => juror === network.account && !committed);
  if (mine.length === 0) throw operatorFaults.refused({ dispute, reason: 'the wallet has no place in this committee that is without a vote' });
  return mine.map(({ place }) => ({ dispute, round, place, vote, salt: hexOf(crypto.getRandomValues(new Uint8Array(32))) }));
}

/** Commits to a vote. */
export async function commitBallot(network: Network, { dispute, round, place, vote, salt }: Ballot): Promise<Receipt> {
  const court = network.contract('DisputeCourt');
  const commitment = await court.getFunction('commitmentFor')(dispute, round, place, network.account, disputeVerdicts.indexOf(vote), salt);
  return network.send('DisputeCourt', 'commit', [dispute, place, commitment]);
}

/** Opens a vote, when nobody can commit any more. */
export function revealBallot(network: Network, { dispute, place, vote, salt }: Ballot): Promise<Receipt> {
  return network.send('DisputeCourt', 'reveal', [dispute, place, disputeVerdicts.indexOf(vote), salt]);
}

/** Ends a dispute whose time is over; anybody may. Money is credited (`creditOf`, `collectCredit`). */
export async function settleDispute(
  network: Network, dispute: bigint,
): Promise<Receipt & { readonly verdict: DisputeVerdict; readonly takenWei: bigint; readonly feesWei: bigint }> {
  const receipt = await network.send('DisputeCourt', 'settle', [dispute]);
  const [settled] = await network.events('DisputeCourt', 'DisputeSettled', [dispute]);
  const { verdict, taken, fees } = settled as unknown as Record<'verdict' | 'taken' | 'fees', bigint>;
  return { ...receipt, verdict: disputeVerdicts[Number(verdict)] as DisputeVerdict, takenWei: taken, feesWei: fees };
}

/** PINT that waits for an account in the court, in wei. */
export async function creditOf(network: Network, account: Address): Promise<bigint> {
  return (await network.contract('DisputeCourt').getFunction('owed')(account)) as bigint;
}

/** Pays what waits for the account to it; anybody may send it. */
export function collectCredit(network: Network, account: Address): Promise<Receipt> {
  return network.send('DisputeCourt', 'collect', [account]);
}

/** A dispute with its phase and committee; CHAIN_REFUSED when there is none. */
export async function disputeById(network: Network, dispute: bigint): Promise<DisputeView> {
  const [event] = await network.events('DisputeCourt', 'DisputeOpened', [dispute]);
  if (event === undefined) throw operatorFaults.refused({ dispute, reason: 'no such dispute' });
  const at = await momentOf(network);
  const raw = await at.read<RawDispute>('DisputeCourt', 'disputeOf', dispute);
  const round = raw.appealed ? 1 : 0;
  const { seedBlock } = await at.read<{ seedBlock: bigint }>('DisputeCourt', 'roundOf', dispute, round);
  const penaltyWei = await at.read<bigint>('DisputeCourt', 'penaltyOf', raw.kind, raw.node);
  return {
    dispute, kind: disputeKinds[Number(raw.kind)] as DisputeKind, node: addressFrom(raw.node), plaintiff: addressFrom(raw.plaintiff),
    claim: hash32From(raw.claim), group: hash32From(raw.group) as GroupId, uri: String(event['uri']), openedAt: raw.openedAt, answered: raw.answered,
    appealed: raw.appealed, verdict: disputeVerdicts[Number(raw.verdict)] as DisputeVerdict, ...(await phaseOf(at, dispute, raw)), round, seedBlock, penaltyWei,
    committee: await committeeOf(at, dispute, round),
  };
}

/** All disputes, oldest first; those against one node when it is given. */
export async function disputes(network: Network, node: Address | null = null): Promise<readonly DisputeView[]> {
  const found = await network.events('DisputeCourt', 'DisputeOpened', [null, node]);
  return Promise.all(found.map((event) => disputeById(network, event['id'] as bigint)));
}

async function committeeOf(at: Moment, dispute: bigint, round: number): Promise<readonly CommitteePlace[]> {
  const seats = await at.read<readonly bigint[]>('DisputeCourt', 'committeeOf', dispute, round);
  return Promise.all([...seats].map(async (seat, place) => {
    const [committed, vote] = await at.read<[boolean, bigint]>('DisputeCourt', 'voteAt', dispute, round, place);
    return { place, seat, juror: await jurorOf(at, seat), committed, vote: disputeVerdicts[Number(vote)] as DisputeVerdict };
  }));
}

async function phaseOf(at: Moment, dispute: bigint, { verdict, appealed }: RawDispute): Promise<{ phase: DisputePhase; phaseEnds: bigint }> {
  if (verdict !== 0n) return { phase: 'settled', phaseEnds: 0n };
  const ends = await at.read<[bigint, bigint, bigint, bigint, bigint, bigint]>('DisputeCourt', 'deadlinesOf', dispute);
  const phases: readonly (readonly [DisputePhase, bigint])[] = appealed
    ? [['commit', ends[4]], ['reveal', ends[5]]]
    : [['answer', ends[0]], ['commit', ends[1]], ['reveal', ends[2]], ['appeal', ends[3]]];
  const [phase, phaseEnds] = phases.find(([, end]) => at.atS < end) ?? ['overdue', 0n];
  return { phase, phaseEnds };
}

async function payBond(network: Network, bond: 'BOND' | 'APPEAL_BOND'): Promise<void> {
  const amount = (await network.contract('DisputeCourt').getFunction(bond)()) as bigint;
  await network.approve(network.address('PintToken'), network.address('DisputeCourt'), amount);
}

async function opened(network: Network, receipt: Receipt): Promise<Receipt & { readonly dispute: bigint }> {
  const mine = await network.events('DisputeCourt', 'DisputeOpened', [null, null, network.account]);
  return { ...receipt, dispute: mine.find(({ transactionHash }) => transactionHash === receipt.hash)?.['id'] as bigint };
}
