import { addressFrom, hash32From, ZERO_HASH, type Address, type GroupId } from '../../protocol/types/index.ts';
import { momentOf } from './moment.ts';
import type { Network, Receipt } from './network.ts';

/** What a slash says about the shares of what it took. */
interface Slash {
  readonly node: Address;
  readonly group: GroupId;
  /** It ended the node's service. */
  readonly convicts: boolean;
  readonly parts: readonly [reporter: string, rewardWei: bigint, group: string, consumer: string, shareWei: bigint];
}

/** `IStakeVault.Status`. */
const ACTIVE = 1;
const NOBODY = `0x${'00'.repeat(20)}`;

/**
 * Shares out what slashes took: rewards and the consumers' parts become credits of their owners, the rest burns. Anybody
 * may; what cannot be shared yet (an earlier commitment may still take a bounty) stays for the next time.
 */
export async function shareSlashed(network: Network): Promise<readonly Receipt[]> {
  const slashes = (await network.events('StakeVault', 'Slashed')).map(readSlash);
  const receipts: Receipt[] = [];
  const convictions = slashes.filter(({ convicts }) => convicts).reverse(); // the first of a node is what its bounty is about
  for (const { node, parts } of new Map(convictions.map((slash) => [slash.node, slash])).values()) {
    if (await isRipe(network, node)) receipts.push(await network.send('StakeVault', 'shareOut', [node, await movedParts(network, node, parts)]));
  }
  for (const group of new Set(slashes.map((slash) => slash.group))) {
    const [share, burn] = (await network.contract('StakeVault').getFunction('potOf')(group)) as [bigint, bigint];
    if (group !== ZERO_HASH && share + burn > 0n) receipts.push(await network.send('StakeVault', 'settle', [group]));
  }
  return receipts;
}

function readSlash(event: Record<string, unknown>): Slash {
  const group = hash32From(event['group']) as GroupId;
  const parts = [event['beneficiary'] as string, event['reward'] as bigint, group, NOBODY, event['consumerShare'] as bigint] as const;
  return { node: addressFrom(event['node']), group, convicts: Number(event['status']) > ACTIVE, parts };
}

/** A bounty that nobody can contest any more. */
async function isRipe(network: Network, node: Address): Promise<boolean> {
  const at = await momentOf(network);
  const [, amountWei, since] = await at.read<[bigint, bigint, bigint]>('StakeVault', 'bountyOf', node);
  return amountWei > 0n && at.atS > since + await at.read<bigint>('StakeVault', 'CONTEST_TIME');
}

/** A commitment that was older than the slash has taken the reporter's place. */
async function movedParts(network: Network, node: Address, parts: Slash['parts']): Promise<Slash['parts']> {
  const last = (await network.events('StakeVault', 'BountyMoved', [node])).at(-1);
  return last === undefined ? parts : [last['to'] as string, parts[1], parts[2], parts[3], parts[4]];
}
