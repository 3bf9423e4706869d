import { expect } from 'chai';
import type { ChainPort, ChallengeView, ClusterView, GroupView, NodeView, TermsView } from '../../node/ports/index.ts';
import { ZERO_ADDRESS, type Address, type ClusterId, type GroupId, type Hash32, type Hex, type Path } from '../../protocol/types/index.ts';

/** How a test plays the contracts for one adapter. Every call is one block that the port has seen when it resolves. */
export interface ChainWorld {
  readonly port: ChainPort;
  register(node: NodeView): Promise<void>;
  createCluster(cluster: ClusterView): Promise<void>;
  /** First or next epoch of a group. */
  startEpoch(group: GroupView): Promise<void>;
  closeGroup(group: GroupView): Promise<void>;
  openChannel(channel: { channel: Hash32; cluster: ClusterId; payer: Address; amountWei: bigint }): Promise<void>;
  setLevel(account: Address, level: number): Promise<void>;
  openChallenge(challenge: ChallengeView): Promise<void>;
  closeChallenge(challenge: ChallengeView): Promise<void>;
  close(): Promise<void>;
}

export const addressAt = (n: number): Address => `0x${n.toString(16).padStart(40, '0')}` as Address;
export const wordAt = (n: number): Hash32 => `0x${n.toString(16).padStart(64, '0')}` as Hash32;

export const nodeAt = (n: number): NodeView => ({
  node: addressAt(n), signer: addressAt(n), owner: addressAt(n + 100), activeStakeWei: 10n ** 21n, tombstoned: false, offeredGib: 50,
  region: 3, endpoint: `http://10.0.0.${n}:80 tls://10.0.0.${n}:9400`,
});
export const termsFrom = (effectiveAt: bigint): TermsView => ({
  token: ZERO_ADDRESS, pricePerGibMonthWei: 1n, pricePerMillionReadsWei: 2n, pricePerMillionWritesWei: 3n, pricePerGibOutWei: 4n,
  thresholdWei: 5n, effectiveAt,
});
export const clusterAt = (n: number): ClusterView => ({
  cluster: wordAt(n) as ClusterId, owner: addressAt(7), replicationFactor: 4, regionMask: 9, terms: termsFrom(1n),
});
export const groupAt = (n: number, cluster: number, epoch: bigint, roster: readonly number[]): GroupView => ({
  group: wordAt(1000 + n) as GroupId, cluster: wordAt(cluster) as ClusterId, epoch, roster: roster.map(addressAt), gib: 10, open: true,
  startedAt: 0n,
});

/** The contract of the `ChainPort`: every adapter passes it. */
export function chainConformance(name: string, makeWorld: () => Promise<ChainWorld>): void {
  describe(`chain: ${name}`, () => {
    let world: ChainWorld;
    beforeEach(async () => {
      world = await makeWorld();
    });
    afterEach(() => world.close());

    it('knows nothing that did not happen', () => {
      const { port } = world;
      expect(port.chainId).to.equal(31_337n);
      expect(port.nodeOf(addressAt(1))).to.equal(undefined);
      expect(port.group(wordAt(1) as GroupId)).to.equal(undefined);
      expect(port.cluster(wordAt(1) as ClusterId)).to.equal(undefined);
      expect(port.groupsOf(addressAt(1))).to.deep.equal([]);
      expect(port.channelsOf(wordAt(1) as ClusterId)).to.deep.equal([]);
      expect(port.accessLevel(addressAt(1))).to.equal(0);
    });

    it('shows nodes and clusters as they were declared', async () => {
      await world.register(nodeAt(1));
      await world.createCluster(clusterAt(5));
      expect(world.port.nodeOf(addressAt(1))).to.deep.equal(nodeAt(1));
      expect(world.port.cluster(clusterAt(5).cluster)).to.deep.equal(clusterAt(5));
    });

    it('follows a group through its epochs and its end, and remembers past rosters', async () => {
      await world.createCluster(clusterAt(5));
      const first = groupAt(1, 5, 1n, [1, 2, 3, 4]);
      await world.startEpoch(first);
      expect(world.port.groupsOf(addressAt(4)).map(({ group }) => group)).to.deep.equal([first.group]);
      const second = groupAt(1, 5, 2n, [1, 2, 3, 6]);
      await world.startEpoch(second);
      expect(world.port.group(first.group)).to.deep.include({ epoch: 2n, roster: second.roster, gib: 10, open: true });
      expect(world.port.groupsOf(addressAt(4))).to.deep.equal([]);
      expect(world.port.groupsOf(addressAt(6))).to.have.length(1);
      expect(world.port.roster(first.group, 1n)).to.deep.equal(first.roster);
      expect(world.port.roster(first.group, 2n)).to.deep.equal(second.roster);
      expect(world.port.roster(first.group, 3n)).to.equal(undefined);
      await world.closeGroup(second);
      expect(world.port.groupsOf(addressAt(6))).to.deep.equal([]);
      expect(world.port.group(first.group)?.open).to.equal(false);
    });

    it('lists the channels of a cluster, the best funded first, and access levels', async () => {
      const cluster = wordAt(5) as ClusterId;
      await world.openChannel({ channel: wordAt(70), cluster, payer: addressAt(8), amountWei: 5n });
      await world.openChannel({ channel: wordAt(71), cluster, payer: addressAt(9), amountWei: 9n });
      await world.openChannel({ channel: wordAt(72), cluster: wordAt(6) as ClusterId, payer: addressAt(9), amountWei: 99n });
      await world.setLevel(addressAt(8), 4);
      expect(world.port.channelsOf(cluster).map(({ channel, depositWei, payer }) => ({ channel, depositWei, payer }))).to.deep.equal([
        { channel: wordAt(71), depositWei: 9n, payer: addressAt(9) },
        { channel: wordAt(70), depositWei: 5n, payer: addressAt(8) },
      ]);
      expect(world.port.accessLevel(addressAt(8))).to.equal(4);
    });

    it('shows what a node is asked on chain until that is over', async () => {
      const challenge: ChallengeView = {
        group: wordAt(1) as GroupId, node: addressAt(1), challenger: addressAt(9), epoch: 1n, height: 40n, path: wordAt(7) as string as Path,
        answerBy: 1_900_000_000n,
      };
      const elsewhere = { ...challenge, group: wordAt(2) as GroupId };
      await world.openChallenge(challenge);
      await world.openChallenge(elsewhere);
      await world.openChallenge({ ...challenge, node: addressAt(2) });
      expect(world.port.challengesOf(addressAt(1))).to.deep.equal([challenge, elsewhere]);
      await world.closeChallenge(challenge);
      expect(world.port.challengesOf(addressAt(1))).to.deep.equal([elsewhere]);
      expect((await world.port.answerChallenge(elsewhere, '0x1234')).hash).to.match(/^0x[0-9a-f]{64}$/);
      expect((await world.port.openChallenge(challenge.path, '0x1234')).hash).to.match(/^0x[0-9a-f]{64}$/);
    });

    it('tells about every head and names it as the beacon', async () => {
      let told = 0;
      world.port.onChange(() => (told += 1));
      await world.register(nodeAt(1));
      const before = world.port.beacon();
      await world.register(nodeAt(2));
      const after = world.port.beacon();
      expect(told).to.be.at.least(2);
      expect(after?.blockNumber).to.equal((before?.blockNumber as bigint) + 1n);
      expect(Number(after?.timestamp)).to.be.greaterThan(Number(before?.timestamp));
      expect(after?.blockHash).to.match(/^0x[0-9a-f]{64}$/).and.not.to.equal(before?.blockHash);
      expect(world.port.staleMs()).to.be.below(60_000);
    });

    it('sends the same evidence once', async () => {
      await world.register(nodeAt(1));
      const evidence = { offence: 'VoteConflict', slasher: 'SlasherConsensus', call: '0x12345678' as Hex } as const;
      const [a, b] = await Promise.all([world.port.submitEvidence(evidence), world.port.submitEvidence(evidence)]);
      expect(a).to.deep.equal(b);
      expect(await world.port.submitEvidence(evidence)).to.deep.equal(a);
      expect(a.hash).to.match(/^0x[0-9a-f]{64}$/);
      expect(a.gasUsed > 0n).to.equal(true);
    });
  });
}
