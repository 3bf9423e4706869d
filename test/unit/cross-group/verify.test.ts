import { expect } from 'chai';
import { afterItem, itemHolds } from '../../../protocol/consensus/execute.ts';
import type { ClassicReceipt, Verifier } from '../../../protocol/consensus/index.ts';
import {
  checkPlan, commandOf, commitOf, coordinatorOf, crossGroupVerifier, doubleDecision, intentPathOf, planIdOf, provesThePresent, stageReader,
  type Plan, type ProofParts,
} from '../../../protocol/cross-group/index.ts';
import { ALL_RULES } from '../../../protocol/cross-group/rules.ts';
import { ZERO_ADDRESS, ZERO_HASH, type Address, type Command, type Epoch, type Hash32, type Item, type Timestamp } from '../../../protocol/types/index.ts';

const hash = (digit: string): Hash32 => `0x${digit.repeat(64)}` as Hash32;
const writer = `0x${'aa'.repeat(20)}` as Address;
const plan: Plan = checkPlan({
  writer, salt: hash('1'), decideBy: 1000n as Timestamp,
  participants: [{ database: hash('2'), group: hash('4'), epoch: 1n }, { database: hash('3'), group: hash('5'), epoch: 1n }],
});
const base: Verifier = { signature: () => true, command: () => true };

function partsAt(epoch: Epoch, rules = ALL_RULES): ProofParts {
  return { domain: { chainId: 1n, verifyingContract: ZERO_ADDRESS }, base, rules, groups: { roster: () => [ZERO_ADDRESS], currentEpoch: () => epoch } };
}

function partFor(database: Hash32, notAfter = 900n): Command {
  const mark = { path: intentPathOf(planIdOf(plan), database), version: ZERO_HASH, mode: 'W' as const };
  return {
    id: hash('6'), client: writer, notAfter: notAfter as Timestamp, footprintRoot: hash('7'), noncePath: hash('8'), classicOnly: false,
    items: [mark, { path: hash('8'), version: ZERO_HASH, mode: 'W' }, { path: hash('9'), version: hash('a'), mode: 'R' }], bytes: Uint8Array.of(0x83),
  };
}

const receipt: ClassicReceipt = {
  kind: 'classic', command: hash('b'), entry: hash('c'), ts: 50n as Timestamp, footprintRoot: hash('d'), outcome: 'applied', path: [], headers: [],
  qc: { view: 0n, round: 1, blockHash: hash('e'), votes: [] },
};
const prepare = (part: Command): Command => commandOf({ kind: 'prepare', plan, database: hash('2'), part: part.bytes }, () => part);

describe('cross-group: what voters check', () => {
  it('X-PART: a part runs under its plan or not at all', () => {
    const verifier = crossGroupVerifier(partsAt(1n), { group: hash('4'), epoch: 1n });
    expect(verifier.command(partFor(hash('2')))).to.equal(false);
    expect(verifier.command(prepare(partFor(hash('2'))))).to.equal(true);
    expect(verifier.command(prepare(partFor(hash('3')))), 'marked for another database').to.equal(false);
    expect(verifier.command(prepare(partFor(hash('2'), 1001n))), 'outlives its plan').to.equal(false);
  });

  it('X-PREPARE: in the group and the epoch that the plan names, and what is only read is held, not replaced', () => {
    const command = prepare(partFor(hash('2')));
    expect(crossGroupVerifier(partsAt(2n), { group: hash('4'), epoch: 2n }).command(command)).to.equal(false);
    expect(crossGroupVerifier(partsAt(1n), { group: hash('5'), epoch: 1n }).command(command)).to.equal(false);
    const unwritten = { writtenAt: 1n as Timestamp, readAt: 1n as Timestamp };
    const read = command.items.find(({ mode }) => mode === 'R') as Item;
    const entry = { id: hash('b'), ts: 10n as Timestamp, command, origin: 0 };
    const once = afterItem({ version: read.version, ...unwritten }, read, entry, new Set());
    expect(once).to.deep.equal({ version: read.version, writtenAt: 1n, readAt: 10n, heldBy: [hash('b')] });
    const twice = afterItem(once, read, { ...entry, id: hash('c') }, new Set());
    const uses = (['R', 'W'] as const).map((mode) => itemHolds({ ...read, mode }, 20n as Timestamp, twice));
    expect(uses, 'others read, nobody writes').to.deep.equal([true, false]);
    expect(afterItem(twice, read, { ...entry, id: hash('c') }, new Set()), 'seen again after a restart').to.deep.equal(twice);
  });

  it('X-DECIDE: no commit without a proof of every prepare', () => {
    const proofs = plan.participants.map(({ database }) => ({ database, part: hash('6'), receipt }));
    const decide = commandOf({ kind: 'decide', plan, decision: commitOf(proofs), proofs }, () => partFor(hash('2')));
    const place = { group: coordinatorOf(plan).group, epoch: 1n };
    expect(crossGroupVerifier(partsAt(1n), place).command(decide)).to.equal(false);
    expect(crossGroupVerifier(partsAt(1n, { ...ALL_RULES, proofs: false }), place).command(decide), 'planted fault').to.equal(true);
  });

  it('X-EPOCH: proofs of members who left decide nothing new', () => {
    const decide = commandOf({ kind: 'decide', plan, decision: commitOf([]), proofs: [] }, () => partFor(hash('2')));
    expect(provesThePresent(partsAt(1n), decide)).to.equal(true);
    expect(provesThePresent(partsAt(2n), decide)).to.equal(false);
    expect(provesThePresent(partsAt(2n, { ...ALL_RULES, presentEpoch: false }), decide), 'planted fault').to.equal(true);
  });

  it('X-BIND: the same bytes are the same command, and a commit is the part at the decided time', () => {
    const part = partFor(hash('2'));
    const decided = { verdict: 'commit' as const, ts: 60n as Timestamp, prepared: [hash('c'), hash('f')], receipt };
    const resolve = commandOf({ kind: 'resolve', plan, database: hash('2'), part: part.bytes, prepared: receipt, decided }, () => part);
    expect(stageReader(() => part)(resolve.bytes)).to.deep.equal(resolve);
    expect([resolve.id, resolve.footprintRoot]).to.deep.equal([part.id, part.footprintRoot]);
    expect(resolve.stage).to.deep.equal({ kind: 'resolve', intent: hash('c'), ts: 60n, restores: new Map() });
    expect(resolve.items.find(({ path }) => path === hash('9')), 'only read').to.deep.equal({ path: hash('9'), version: hash('a'), mode: 'R' });
  });

  it('X-DOUBLE: decisions that nobody proved accuse nobody', () => {
    const commit = { verdict: 'commit' as const, ts: 60n as Timestamp, prepared: [hash('c'), hash('f')], receipt };
    const abort = { verdict: 'timeout' as const, ts: 0n as Timestamp, prepared: [], receipt };
    expect(doubleDecision(partsAt(1n), plan, commit, abort)).to.equal(undefined);
  });
});
