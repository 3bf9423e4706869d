import { expect } from 'chai';
import {
  encodeEvidence, judge, offenceNumber, type Evidence, type JudgeContext, type SignerRecord, type SlasherName, type Verdict,
} from '../../protocol/evidence/index.ts';
import { isHex, type Address, type Hex } from '../../protocol/types/index.ts';
import type { Place } from './cases.ts';
import { DAY, deployed, groupOf, helpers, now } from './world.ts';

/* The two judges of evidence, the contracts and protocol/evidence, on one chain. */

const statuses = ['active', 'active', 'tombstoned', 'void'] as const;

async function fixture(): Promise<Place> {
  const world = await deployed();
  return { world, group: await groupOf(world), epoch: 1n };
}
export const fresh = (): Promise<Place> => helpers.loadFixture(fixture);

/** Reads from the chain what the judge needs. */
export async function contextOf({ world, group, epoch }: Place, atTime?: bigint): Promise<JudgeContext> {
  const [record] = (await world.c.ClusterRegistry.getFunction('membership')(group.group, epoch)) as [{ endedAt: bigint }];
  const signers = new Map<string, SignerRecord>();
  for (const signer of group.roster) {
    const [node, status, lastFaultAt] = await world.c.StakeVault.getFunction('recordOfSigner')(signer);
    signers.set(signer, { node: node.toLowerCase(), status: statuses[Number(status)] as SignerRecord['status'], lastFaultAt });
  }
  return {
    domain: world.domain, now: atTime ?? (await now()) + 1n, evidenceWindow: 14n * DAY, absolution: DAY,
    epochOf: (id, number) => (id === group.group && number === epoch
      ? { roster: group.roster, endedAt: record.endedAt === 0n ? undefined : record.endedAt }
      : undefined),
    signerOf: (signer) => signers.get(signer),
  };
}

type Outcome = { readonly error: string } | { readonly nodes: readonly Address[]; readonly reporter: Address; readonly kind: number };

/** What the contract does with the call: the error's name, or the convicted nodes. */
export async function submit({ world }: Place, slasher: SlasherName, call: Hex): Promise<Outcome> {
  const contract = world.c[slasher];
  const to = await contract.getAddress();
  try {
    const receipt = await (await world.watcher.sendTransaction({ to, data: call })).wait();
    const slashes = receipt!.logs.map((entry) => world.c.StakeVault.interface.parseLog(entry)).filter((parsed) => parsed?.name === 'Slashed');
    const [first] = slashes;
    return { nodes: slashes.map((slash) => slash!.args['node'].toLowerCase()), reporter: first!.args['beneficiary'].toLowerCase(), kind: Number(first!.args['kind']) };
  } catch (error) {
    const data = (error as { data?: string; info?: { error?: { data?: string } } }).data;
    if (!isHex(data) || data === '0x') throw error;
    return { error: (contract.interface.parseError(data) ?? world.c.StakeVault.interface.parseError(data))?.name ?? data };
  }
}

/** Both judges on one case; they must agree. */
export async function both(place: Place, evidence: Evidence): Promise<Verdict> {
  const verdict = judge(evidence, await contextOf(place));
  const { slasher, call } = encodeEvidence(evidence);
  const outcome = await submit(place, slasher, call);
  if (verdict.kind === 'guilty') {
    expect(outcome, evidence.kind).to.deep.equal({ nodes: verdict.nodes, reporter: verdict.reward, kind: offenceNumber[evidence.kind] });
    expect(verdict.accused).to.equal(place.group.roster[evidence.culprit]);
  } else expect(outcome, evidence.kind).to.deep.equal({ error: verdict.error });
  return verdict;
}
