import { packQuestion } from '../../protocol/evidence/index.ts';
import { rosterOf, type CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import { sha256Hex } from '../../protocol/crypto/index.ts';
import { addressFrom, ZERO_ADDRESS, type Address, type GroupId, type Hex, type Path } from '../../protocol/types/index.ts';
import { operatorFaults } from './faults.ts';
import { nodesOf, noticeOf, requestLeave, rosterAt } from './membership.ts';
import { momentOf } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** A challenge that stands against a node; amounts in wei, times in unix seconds. */
export interface OpenChallenge {
  readonly challenger: Address;
  readonly openedAt: bigint;
  readonly answerBy: bigint;
  readonly epoch: bigint;
  readonly height: bigint;
  readonly path: Path;
  readonly bondWei: bigint;
  /** Part of the stake per hour, in 1e-18. */
  readonly ratePerHour: bigint;
  readonly stakeWei: bigint;
  readonly takenWei: bigint;
  /** What `settleChallenge` would take now. */
  readonly dueWei: bigint;
}

/**
 * Challenges `node` on chain for a cell of its group under a certified checkpoint (Picolo §6.2); `checkpointAt` of the
 * SDK asks any member for the newest. The bond comes back when the node stays silent; an answer in time earns it.
 * @param path the cell to ask for; without it a path that nobody can foresee, which the node proves present or absent
 * @throws CHAIN_REFUSED with the court's reason (ChallengePending, CoolDown, NodeNotActive, …)
 */
export async function openChallenge(
  network: Network, certified: CertifiedCheckpoint, node: Address, path: Path = randomPath(),
): Promise<Receipt & { readonly path: Path; readonly bondWei: bigint }> {
  const { group, epoch } = certified.checkpoint;
  const roster = rosterOf(group as GroupId, epoch, await rosterAt(network, group as GroupId, epoch));
  const signer = roster.replicas[(await nodesOf(await momentOf(network), roster.replicas)).indexOf(node)];
  if (signer === undefined) throw operatorFaults.refused({ node, group, reason: 'not a member of the group' });
  const bondWei = 2n * ((await network.contract('AvailabilityCourt').getFunction('requiredBond')()) as bigint);
  return { ...(await network.send('AvailabilityCourt', 'open', [path, packQuestion(roster, signer, certified)], bondWei)), path, bondWei };
}

/** The challenge of a node in a group; undefined when none is open. */
export async function challengeOf(network: Network, group: GroupId, node: Address): Promise<OpenChallenge | undefined> {
  const at = await momentOf(network); // it may be answered in the next block
  type Found = Record<'challenger' | 'path', string> & Record<'openedAt' | 'epoch' | 'height' | 'bond' | 'rate' | 'stake' | 'taken', bigint>;
  const found = await at.read<Found>('AvailabilityCourt', 'challengeOf', group, node);
  if (found.challenger === ZERO_ADDRESS) return undefined;
  const [dueWei, window] = await Promise.all([
    at.read<bigint>('AvailabilityCourt', 'dueOf', group, node), at.read<bigint>('AvailabilityCourt', 'REPLY_WINDOW'),
  ]);
  const { challenger, openedAt, epoch, height, path, bond, rate, stake, taken } = found;
  return {
    challenger: addressFrom(challenger), openedAt, answerBy: openedAt + window, epoch, height, path: path as Path, bondWei: bond,
    ratePerHour: rate, stakeWei: stake, takenWei: taken, dueWei,
  };
}

/** Takes what the silence has cost since the last time; anybody may send it. CHAIN_REFUSED before the reply window is over. */
export function settleChallenge(network: Network, group: GroupId, node: Address): Promise<Receipt> {
  return network.send('AvailabilityCourt', 'settle', [group, node]);
}

/**
 * The machine of the wallet's node broke: asks to leave the group, unless it did already, and says why, so that silence costs
 * nothing from now on and the node is replaced, not slashed (Picolo §6.2). Once in 90 days.
 * @returns `mayCloseAt` in unix seconds: when the wallet may close the group if nobody has replaced the node
 */
export async function declareFailure(network: Network, group: GroupId, node: Address): Promise<Receipt & { readonly mayCloseAt: bigint }> {
  const standing = await noticeOf(network, group);
  const mayCloseAt = standing === 0n ? (await requestLeave(network, group, node)).mayCloseAt : standing;
  return { ...(await network.send('AvailabilityCourt', 'declareFailure', [group, node])), mayCloseAt };
}

function randomPath(): Path {
  return sha256Hex(crypto.getRandomValues(new Uint8Array(32))) as Hex as Path;
}
