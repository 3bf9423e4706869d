import { expect } from 'chai';
import { decodeCall, encodeEvidence, judgeFlat, slasherOf, type Evidence, type JudgeContext, type Verdict } from '../../protocol/evidence/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { bytesOf, hexOf, type Address, type Hex } from '../../protocol/types/index.ts';
import { installNativeCrypto } from '../../node/crypto/index.ts';
import { guiltyCases, innocentCases } from './all-cases.ts';
import type { Place } from './cases.ts';
import { contextOf, fresh } from './judges.ts';
import { ethers, now } from './world.ts';

/** Of how many bytes one is bent: each of the guilty reports, every third of the honest ones, whose proofs have the same form. */
const STRIDES = { guilty: 1, honest: Number(process.env['PICOLO_HONEST_STRIDE'] ?? 3) } as const;
const AT_ONCE = 100;

interface Answer {
  readonly done: boolean;
  /** The error's name when it was refused. */
  readonly error: string | undefined;
}

/** Malformed calls have no verdict in TypeScript; the contract may name any reason that its reading meets first. */
function verdictOf(call: Hex, context: JudgeContext): Verdict | undefined {
  try {
    return judgeFlat(decodeCall(call), context);
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    return undefined;
  }
}

/** The call with one bit of one byte changed, for every `stride`-th byte. */
function* bentCalls(call: Hex, stride: number): Generator<readonly [label: string, call: Hex]> {
  const bytes = bytesOf(call);
  for (let at = 4; at < bytes.length; at += stride) {
    const bent = bytes.slice();
    bent[at] = (bent[at] as number) ^ (1 << (at % 8));
    yield [`byte ${at}`, hexOf(bent)];
  }
}

describe('evidence: no byte can be bent against anybody', () => {
  before(() => installNativeCrypto());

  it('guilty reports of every kind: contract and judge agree on each bent byte, and whoever is convicted was accused', async function () {
    this.timeout(600_000);
    const place = await fresh();
    const { count, guilty } = await bendAll(place, guiltyCases(place, await now()), STRIDES.guilty);
    expect(guilty, 'some bytes mean nothing, like a beneficiary').to.be.greaterThan(count / 200);
  });

  it('honest statements of every kind: no bent byte makes an offence of them', async function () {
    this.timeout(600_000);
    const place = await fresh();
    const { count, guilty } = await bendAll(place, innocentCases(place, await now()), STRIDES.honest);
    expect(count).to.be.greaterThan(5_000);
    expect(guilty).to.equal(0);
  });
});

/** Both judges on every bent call; how many calls there were, and how many of them convict. */
async function bendAll(place: Place, cases: readonly Evidence[], stride: number): Promise<{ readonly count: number; readonly guilty: number }> {
  const context = await contextOf(place);
  const probe = await ethers.deployContract('Probe');
  let count = 0;
  let guilty = 0;
  for (const evidence of cases) {
    const calls = [...bentCalls(encodeEvidence(evidence).call, stride)];
    const answers = await askChain(place.world.c[slasherOf[evidence.kind]], probe, calls.map(([, call]) => call));
    calls.forEach(([label, call], i) => {
      guilty += compare(evidence, verdictOf(call, context), answers[i] as Answer, place.group.roster, `${evidence.kind} ${label}`);
    });
    count += calls.length;
  }
  return { count, guilty };
}

type Chain = Awaited<ReturnType<typeof fresh>>['world']['c'][keyof Awaited<ReturnType<typeof fresh>>['world']['c']];

async function askChain(slasher: Chain, probe: Awaited<ReturnType<typeof ethers.deployContract>>, calls: readonly Hex[]): Promise<Answer[]> {
  const target = await slasher.getAddress();
  const answers: Answer[] = [];
  for (let i = 0; i < calls.length; i += AT_ONCE) {
    const [done, results] = (await probe.getFunction('tryAll').staticCall(target, calls.slice(i, i + AT_ONCE))) as [boolean[], string[]];
    done.forEach((each, k) => answers.push({ done: each, error: each ? undefined : nameOf(slasher, results[k] as string) }));
  }
  return answers;
}

/** No name: the call is no call, or the vault refused. */
const nameOf = (slasher: Chain, data: string): string => (data === '0x' ? undefined : slasher.interface.parseError(data)?.name) ?? 'other';

/** One when it is guilty for both. */
function compare(evidence: Evidence, verdict: Verdict | undefined, answer: Answer, roster: readonly Address[], label: string): number {
  expect(answer.done, label).to.equal(verdict?.kind === 'guilty');
  if (verdict?.kind === 'refused' && answer.error !== 'other') expect(answer.error, label).to.equal(verdict.error);
  if (verdict?.kind !== 'guilty') return 0;
  const accused = evidence.kind === 'ForkedCertificates' ? verdict.nodes : [verdict.accused];
  if (evidence.kind !== 'ForkedCertificates') expect(accused, label).to.deep.equal([roster[evidence.culprit]]);
  return 1;
}
