import { expect } from 'chai';
import type { Groups, PeerRequest, Requests } from '../../../node/host/index.ts';
import { createManualClock, createMemoryChain } from '../../../node/memory/index.ts';
import { Audits, Histories, Reporter, type EvidenceOutcome } from '../../../node/services/index.ts';
import type { SqlLedger } from '../../../node/storage/index.ts';
import { decode, encode, signStruct } from '../../../protocol/codec/index.ts';
import { sha256Hex } from '../../../protocol/crypto/index.ts';
import { decodeCall } from '../../../protocol/evidence/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { certifiedCheckpointC, configHashOf, detailHashOf, rosterOf, type CertifiedCheckpoint } from '../../../protocol/membership/index.ts';
import { rootListOf, rootsAnswerW, rootsRequestW, verifyRootList, type RootsAnswer } from '../../../protocol/query/index.ts';
import { uintBytes, ZERO_HASH, type Address, type Hash32, type Timestamp } from '../../../protocol/types/index.ts';
import { World } from '../sdk/world.ts';
import { nodeAt } from '../../conformance/chain.ts';
import { settle, until } from '../../conformance/until.ts';

const INTERVAL_MS = 60_000;
const world = new World();
const { domain, group, roster } = world;
const self = roster.replicas[0] as Address;
const rootAt = (height: bigint, epoch = 1n): Hash32 => sha256Hex(uintBytes(1000n * epoch + height, 8));

function certifiedAt(height: bigint, epoch = 1n, stateRoot = rootAt(height, epoch)): CertifiedCheckpoint {
  const detail = {
    closeTs: 5n as Timestamp, rowCount: 1n, capsuleHead: ZERO_HASH, previous: ZERO_HASH, configHash: configHashOf(rosterOf(group, epoch, roster.replicas)),
  };
  const checkpoint = { group, epoch, height, stateRoot, detail: detailHashOf(detail) };
  const signatures = world.keys.slice(0, 3).map((key, replica) => ({ replica, signature: signStruct(domain, 'Checkpoint', checkpoint, key) }));
  return { checkpoint, detail, signatures };
}

function stage() {
  const chain = createMemoryChain();
  chain.mine({
    nodes: roster.replicas.map((signer, i) => ({ ...nodeAt(i + 1), signer })),
    groups: [{ group, cluster: world.cluster, epoch: 1n, roster: roster.replicas, startedAt: 0n, gib: 1, open: true }],
  });
  const clock = createManualClock();
  const signer = { address: self, domain, sign: (name: 'RootList', value: never) => signStruct(domain, name, value, world.keys[0] as Uint8Array) } as never;
  return { chain, clock, signer, histories: new Histories({ signer, chain: chain.port(), clock }) };
}

const emptyLedger = { certified: () => undefined } as unknown as SqlLedger;
const ledgerWith = (stored: CertifiedCheckpoint): SqlLedger =>
  ({ certified: () => ({ height: stored.checkpoint.height, certificate: encode(certifiedCheckpointC, stored) }) }) as unknown as SqlLedger;
const question = { group, querier: roster.replicas[1] as Address, request: rootAt(99n) };
const asker = { domain, roster, querier: question.querier };

describe('histories: what a node lists', () => {
  it('signs the roots of the certificates it has seen, in order, those of the newest epoch only', () => {
    const { histories } = stage();
    for (const height of [4n, 2n, 3n]) histories.remember(certifiedAt(height));
    const first = histories.list(emptyLedger, question);
    expect(verifyRootList(asker, question.request, first)).to.equal(self);
    expect(first.roots).to.deep.equal([2n, 3n, 4n].map((height) => ({ height, stateRoot: rootAt(height) })));
    histories.remember(certifiedAt(5n, 2n));
    histories.remember(certifiedAt(6n)); // a straggler of the epoch that ended
    expect(histories.list(emptyLedger, question)).to.have.nested.property('list.epoch', 2n);
    expect(histories.of(group).map(({ checkpoint }) => checkpoint.height)).to.deep.equal([5n]);
    expect(() => histories.at(group, 4n)).to.throw().with.property('code', 'API_HISTORY_GONE');
  });

  it('never lists two roots for one height, and keeps a bounded number', () => {
    const { histories } = stage();
    histories.remember(certifiedAt(1n));
    histories.remember(certifiedAt(1n, 1n, ZERO_HASH));
    expect(histories.at(group, 1n).checkpoint.stateRoot).to.equal(rootAt(1n));
    const { checkpoint, ...rest } = certifiedAt(1n);
    for (let height = 2n; height <= BigInt(limits.rootsPerList) + 5n; height++) histories.remember({ ...rest, checkpoint: { ...checkpoint, height } });
    const heights = histories.of(group).map(({ checkpoint }) => checkpoint.height);
    expect([heights.length, heights[0], heights.at(-1)]).to.deep.equal([limits.rootsPerList, 6n, BigInt(limits.rootsPerList) + 5n]);
  });

  it('after a restart trusts the disk as far as its signatures go', () => {
    expect(stage().histories.list(ledgerWith(certifiedAt(7n)), question).roots).to.deep.equal([{ height: 7n, stateRoot: rootAt(7n) }]);
    const flipped = certifiedAt(7n);
    const damaged = { ...flipped, checkpoint: { ...flipped.checkpoint, stateRoot: ZERO_HASH } };
    expect(() => stage().histories.list(ledgerWith(damaged), question)).to.throw().with.property('code', 'MEMBERSHIP_BAD_SIGNATURE');
    expect(() => stage().histories.list(emptyLedger, question)).to.throw().with.property('code', 'API_NO_CHECKPOINT');
  });
});

describe('audits among members', () => {
  function auditing(answer: (target: Address, asked: typeof question) => Promise<RootsAnswer>) {
    const { chain, clock, signer, histories } = stage();
    const asked: Address[] = [];
    const outcomes: string[] = [];
    const evidence: EvidenceOutcome[] = [];
    const requests = {
      async ask(to: Address, request: PeerRequest) {
        if (request.kind !== 'roots') throw new Error(request.kind);
        asked.push(to);
        return encode(rootsAnswerW, await answer(to, decode(rootsRequestW, request.request) as typeof question));
      },
    } as unknown as Requests;
    const host = { config: { epoch: 1n, roster: roster.replicas } };
    const groups = { members: new Map([[group, { host }]]) } as unknown as Groups<SqlLedger>;
    const reporter = new Reporter({ chain: chain.port(), self, onOutcome: (outcome) => evidence.push(outcome) });
    const audits = new Audits({
      groups, histories, signer, clock, requests, reporter, intervalMs: INTERVAL_MS, onOutcome: (_target, outcome) => outcomes.push(outcome),
    });
    return { chain, clock, histories, audits, asked, outcomes, evidence };
  }

  /** A member's list, honest but for one root. */
  async function listed(target: Address, asked: typeof question, lie?: bigint): Promise<RootsAnswer> {
    const roots = [2n, 3n, 4n].map((height) => ({ height, stateRoot: height === lie ? ZERO_HASH : rootAt(height) }));
    const list = rootListOf({ group, epoch: 1n }, roots, asked, 1_700_000_000n);
    return { roots, list, signature: signStruct(domain, 'RootList', list, world.keys[roster.replicas.indexOf(target)] as Uint8Array) };
  }

  it('asks one member after the other, and nobody before there is something to compare with', async () => {
    const { clock, histories, audits, asked, outcomes } = auditing(listed);
    clock.advance(INTERVAL_MS);
    expect(asked).to.deep.equal([]);
    histories.remember(certifiedAt(3n));
    for (let round = 1; round <= 3; round++) {
      clock.advance(INTERVAL_MS);
      await until('an outcome', () => outcomes.length === round);
    }
    expect(outcomes).to.deep.equal(['agrees', 'agrees', 'agrees']);
    expect(new Set(asked)).to.deep.equal(new Set(roster.replicas.slice(1)));
    audits.stop();
    clock.advance(INTERVAL_MS);
    expect(asked).to.have.length(3);
  });

  it('T-4.3.6-complain: a member that lists another root than the certified one is reported, once; the reward is the asker\'s', async () => {
    const liar = roster.replicas[2] as Address;
    const { chain, clock, histories, outcomes, evidence } = auditing((target, asked) => listed(target, asked, target === liar ? 3n : undefined));
    for (const height of [2n, 3n]) histories.remember(certifiedAt(height));
    for (let round = 1; round <= 6; round++) {
      clock.advance(INTERVAL_MS);
      await until('an outcome', () => outcomes.length === round);
    }
    expect(outcomes.toSorted()).to.deep.equal(['agrees', 'agrees', 'agrees', 'agrees', 'lied', 'lied']);
    expect(evidence.map(({ offence, accused, outcome }) => [offence, accused, outcome])).to.deep.equal([['FalseHistory', liar, 'slashed']]);
    const report = decodeCall(chain.evidence[0]?.call as never);
    if (report.kind !== 'FalseHistory') throw new Error(report.kind);
    const { height, list } = report.history.common;
    expect([height, list.querier]).to.deep.equal([3n, self]);
  });

  it('a list that proves nothing, or none, accuses nobody', async () => {
    const stranger = new Uint8Array(32).fill(0x77);
    const useless: readonly (readonly [string, (target: Address, asked: typeof question) => Promise<RootsAnswer>])[] = [
      ['QUERY_UNBOUND', (target, asked) => listed(target, { ...asked, request: ZERO_HASH }, 3n)], // to another question
      ['QUERY_NOT_A_REPLICA', async (target, asked) => {
        const answer = await listed(target, asked, 3n);
        return { ...answer, signature: signStruct(domain, 'RootList', answer.list, stranger) };
      }],
      ['HOST_PEER_TIMEOUT', () => Promise.reject(Object.assign(new Error('gone'), { code: 'HOST_PEER_TIMEOUT' }))],
    ];
    for (const [code, answer] of useless) {
      const { clock, histories, outcomes, evidence } = auditing(answer);
      histories.remember(certifiedAt(3n));
      clock.advance(INTERVAL_MS);
      await until('an outcome', () => outcomes.length === 1);
      await settle(5);
      expect(outcomes).to.deep.equal([code]);
      expect(evidence).to.deep.equal([]);
    }
  });
});
