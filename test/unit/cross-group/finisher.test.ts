import { expect } from 'chai';
import type { ClassicReceipt } from '../../../protocol/consensus/index.ts';
import { checkPlan, coordinatorOf, Finisher, planIdOf, type Decided } from '../../../protocol/cross-group/index.ts';
import { ALL_RULES } from '../../../protocol/cross-group/rules.ts';
import { msOf, timestampOf } from '../../../protocol/hlc/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { ZERO_ADDRESS, ZERO_HASH, type BlockHash, type Hash32, type Timestamp } from '../../../protocol/types/index.ts';

const hash = (digit: string): Hash32 => `0x${digit.repeat(64)}` as Hash32;
const plan = checkPlan({
  writer: ZERO_ADDRESS, salt: hash('1'), decideBy: timestampOf(100_000, 0, 0),
  participants: [{ database: hash('2'), group: hash('4'), epoch: 1n }, { database: hash('3'), group: hash('5'), epoch: 1n }],
});
const receipt: ClassicReceipt = {
  kind: 'classic', command: hash('b'), entry: hash('c'), ts: 50n as Timestamp, footprintRoot: hash('d'), outcome: 'applied', path: [], headers: [],
  qc: { view: 0n, round: 1, blockHash: ZERO_HASH as BlockHash, votes: [] },
};
const decided: Decided = { verdict: 'commit', ts: 60n as Timestamp, prepared: [hash('c'), hash('f')], receipt };
const other = plan.participants.find(({ group }) => group !== coordinatorOf(plan).group) as (typeof plan.participants)[number];
const ask = { kind: 'prepared', plan, proof: { database: other.database, part: hash('6'), receipt } } as const;

/** Of the coordinator group; whatever is carried to it counts as proven. */
function finisher(recall: () => Decided | undefined): Finisher {
  const base = { signature: () => true, command: () => true };
  const groups = { roster: () => undefined, currentEpoch: () => 1n };
  const proofs = { domain: { chainId: 1n, verifyingContract: ZERO_ADDRESS }, base, groups, rules: { ...ALL_RULES, proofs: false } };
  return new Finisher({
    place: { group: coordinatorOf(plan).group, epoch: 1n }, proofs, graceMs: 10, recall,
    readPart: () => {
      throw new Error('no part is read here');
    },
  });
}

describe('cross-group: finisher', () => {
  it('X-FINISH: the coordinator group tells whoever asks, keeps a plan in mind for a bounded time, and recalls it when asked later', () => {
    const one = finisher(() => decided);
    one.onMessage(ask);
    expect(one.decisionOf(planIdOf(plan))).to.deep.equal(decided);
    expect(one.onTick(msOf(plan.decideBy))).to.deep.equal([{ kind: 'tell', group: other.group, message: { kind: 'decided', plan, decided } }]);
    expect(one.onTick(msOf(plan.decideBy) + limits.planMs), 'told once').to.deep.equal([]);
    expect(one.decisionOf(planIdOf(plan)), 'kept so long').to.deep.equal(decided);
    one.onTick(msOf(plan.decideBy) + limits.planMs + 1);
    expect(one.decisionOf(planIdOf(plan))).to.equal(undefined);
    one.onMessage(ask);
    expect(one.onTick(msOf(plan.decideBy) + limits.planMs + 2)).to.have.length(1);
  });

  it('X-DECIDE: a timeout is tried from decideBy on, and given up with the time in which it is executed', () => {
    const one = finisher(() => undefined);
    one.onMessage(ask);
    const triedAt = (afterMs: number): boolean => one.onTick(msOf(plan.decideBy) + afterMs).length > 0;
    expect([0, 10, 11, limits.decisionMs, limits.decisionMs + 1].map(triedAt)).to.deep.equal([false, false, true, true, false]);
  });
});
