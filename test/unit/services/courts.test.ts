import { expect } from 'chai';
import { Courts, type CourtOutcome, type CourtsParts } from '../../../node/services/courts.ts';
import { createManualClock, createMemoryChain } from '../../../node/memory/index.ts';
import type { ChallengeView } from '../../../node/ports/index.ts';
import { encode } from '../../../protocol/codec/index.ts';
import { addressOf, sha256, sha256Hex, signDigest } from '../../../protocol/crypto/index.ts';
import { packCell, packQuestion } from '../../../protocol/evidence/index.ts';
import { certifiedCheckpointC, rosterOf, type CertifiedCheckpoint } from '../../../protocol/membership/index.ts';
import { createTree, type Leaf } from '../../../protocol/state-tree/index.ts';
import { uintBytes, ZERO_HASH, type Address, type ClusterId, type GroupId, type Hash32, type Path, type Timestamp } from '../../../protocol/types/index.ts';
import { nodeAt } from '../../conformance/chain.ts';
import { until } from '../../conformance/until.ts';

const h = (text: string): Hash32 => sha256Hex(new TextEncoder().encode(text));
const keys = [1, 2, 3, 4].map((n) => sha256(uintBytes(n, 4)));
const members = keys.map(addressOf).sort();
const group = h('group') as GroupId;
const roster = rosterOf(group, 1n, members);
const leaves: Leaf[] = Array.from({ length: 20 }, (_, i) => ({ path: h(`path ${i}`) as string as Path, rowHash: h(`row ${i}`) }));
const tree = createTree();
const root = tree.build(leaves);
const signature = signDigest(h('anything'), keys[0] as Uint8Array);

const certifiedAt = (height: bigint, epoch = 1n): CertifiedCheckpoint => ({
  checkpoint: { group, epoch, height, stateRoot: root.hash, detail: h('detail') },
  detail: { closeTs: 5n as Timestamp, rowCount: 20n, capsuleHead: h('head'), previous: ZERO_HASH, configHash: h('config') },
  signatures: [0, 1, 2].map((replica) => ({ replica, signature })),
});

function stage({ challengeAfter = 0, height = 40n, damaged = false, epoch = 1n } = {}) {
  const chain = createMemoryChain();
  const self = members[0] as Address;
  chain.mine({
    nodes: members.map((signer, i) => ({ ...nodeAt(i + 1), signer })),
    groups: [{ group, cluster: h('cluster') as ClusterId, epoch: 1n, roster: members, startedAt: 0n, gib: 10, open: true }],
  });
  const state = { height };
  const ledger = {
    certified: () => ({ height: state.height, certificate: encode(certifiedCheckpointC, certifiedAt(state.height, epoch)) }),
    readAt: (_height: bigint, path: Path) => (damaged ? { kind: 'unavailable' } : { kind: 'present', proof: tree.prove(root, path) }),
    pathAt: (_height: bigint, rank: bigint) => leaves[Number(rank)]?.path,
  };
  const member = { storage: { ledger } };
  const groups = { members: new Map([[group, member]]), member: () => member } as unknown as CourtsParts['groups'];
  const outcomes: CourtOutcome[] = [];
  const clock = createManualClock();
  const courts = new Courts({ chain: chain.port(), self, clock, groups, challengeAfter, onOutcome: (outcome) => outcomes.push(outcome) });
  return { chain, courts, outcomes, clock, state };
}

const challenge: ChallengeView = {
  group, node: nodeAt(1).node, challenger: nodeAt(9).node, epoch: 1n, height: 40n, path: leaves[3]!.path, answerBy: 1_900_000_000n,
};

describe('a node before the availability court', () => {
  it('answers a challenge of itself from its ledger, once', async () => {
    const { chain, courts, outcomes } = stage();
    chain.mine({ challenges: [challenge, { ...challenge, node: nodeAt(2).node }] });
    courts.check();
    await until('the answer', () => outcomes.length > 0);
    expect(chain.cells).to.deep.equal([packCell(roster, certifiedAt(40n), challenge.path, tree.prove(root, challenge.path))]);
    expect(outcomes.map(({ what }) => what)).to.deep.equal(['answered']);
    chain.mine();
    expect(chain.cells).to.have.length(1);
  });

  it('waits for a checkpoint that is new enough, and leaves what it cannot answer', async () => {
    const late = stage({ height: 39n });
    late.chain.mine({ challenges: [challenge] });
    expect(late.chain.cells).to.deep.equal([]);
    late.state.height = 41n;
    late.courts.check();
    await until('the answer', () => late.outcomes.length > 0);
    expect(late.chain.cells).to.have.length(1);
    const damaged = stage({ damaged: true });
    damaged.chain.mine({ challenges: [challenge] });
    expect(damaged.outcomes.map(({ what }) => what)).to.deep.equal(['unanswerable']);
    const over = stage({ epoch: 2n });
    over.chain.mine({ challenges: [challenge, { ...challenge, group: h('not a member') as GroupId }] });
    expect([over.outcomes, over.chain.cells]).to.deep.equal([[], []]);
  });

  it('challenges a silent peer on chain after as many failures as its operator set, once an hour', async () => {
    const { chain, courts, outcomes, clock } = stage({ challengeAfter: 3 });
    const target = members[1] as Address;
    courts.silent(roster, target, 2);
    expect(chain.questions).to.deep.equal([]);
    courts.silent(roster, target, 3);
    await until('the challenge', () => outcomes.length > 0);
    const path = leaves[Number(BigInt(clock.nowMs()) % 20n)]!.path;
    expect(chain.questions).to.deep.equal([{ path, question: packQuestion(roster, target, certifiedAt(40n)) }]);
    courts.silent(roster, target, 4);
    expect(chain.questions).to.have.length(1);
  });

  it('challenges nobody when the operator did not ask for it, or when somebody did already', () => {
    const off = stage();
    off.courts.silent(roster, members[1] as Address, 1_000);
    expect(off.chain.questions).to.deep.equal([]);
    const taken = stage({ challengeAfter: 1 });
    taken.chain.mine({ challenges: [{ ...challenge, node: nodeAt(2).node }] });
    taken.courts.silent(roster, members[1] as Address, 5);
    expect(taken.chain.questions).to.deep.equal([]);
  });
});
