import { expect } from 'chai';
import { systemClock } from '../../../node/clock/index.ts';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { commandsOf, createRouter, proofPartsOf, startGroup, type GroupHost } from '../../../node/host/index.ts';
import { createMemoryChain, createMemoryDisk, createMemorySigner } from '../../../node/memory/index.ts';
import { createLibp2pTransport, createTlsTransport, type Lane } from '../../../node/network/index.ts';
import { openLedger } from '../../../node/storage/index.ts';
import { groupConfig } from '../../../protocol/consensus/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import { maxFaulty } from '../../../protocol/types/index.ts';
import { privateKeyOf } from '../../conformance/keys.ts';
import { domain, genesis, group, World as Reference } from '../../conformance/ledger-world.ts';
import { until } from '../../conformance/until.ts';

/** Hosts of one group in this process, each with sockets of its own. */
class SocketGroup {
  readonly hosts: GroupHost[] = [];
  private readonly lanes: Lane[] = [];

  async open(size: number, openLane: typeof createTlsTransport): Promise<void> {
    const keys = Array.from({ length: size }, (_, i) => privateKeyOf(60 + i)).toSorted((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
    const signers = keys.map((key) => createMemorySigner(key, domain));
    const roster = signers.map(({ address }) => address);
    for (const signer of signers) this.lanes.push(await openLane({ signer, host: '127.0.0.1', port: 0, clock: systemClock }));
    const places = this.lanes.map(({ self, port }) => ({ node: self, host: '127.0.0.1', port }));
    for (const [index, lane] of this.lanes.entries()) {
      const router = createRouter(lane, systemClock, () => Promise.reject(new Error('nobody asks here')));
      const host = startGroup({
        config: groupConfig({ domain, group, epoch: 1n, roster, timing: { commandTimeoutMs: 3_000 } }), signer: signers[index] as (typeof signers)[number],
        ledger: openLedger({ path: ':memory:', group, domain, genesis }), journal: createMemoryDisk().open(), clock: systemClock,
        send: (to, message) => router.send(to, group, 1n, message),
        commands: commandsOf(proofPartsOf(domain, createMemoryChain().port()), { group, epoch: 1n }),
        events: { onCommitted() {}, onCertified() {}, onOffence() {}, onMilestone() {}, onSealed() {}, onSnapshotWanted() {}, onHalted() {} },
      });
      router.onConsensus((from, _group, _epoch, message) => host.deliver(from, message));
      this.hosts.push(host);
      lane.setPeers(places);
    }
  }

  /** Takes a member off the network for good. */
  async lose(index: number): Promise<void> {
    await this.lanes[index]?.close();
    await this.hosts[index]?.stop();
  }

  async close(): Promise<void> {
    for (const index of this.hosts.keys()) await this.lose(index);
  }
}

describe('host: groups over real sockets', function () {
  this.timeout(120_000);
  before(() => installNativeCrypto());

  for (const [size, lane, openLane] of [
    [4, 'TLS', createTlsTransport], [4, 'libp2p', createLibp2pTransport],
    [7, 'TLS', createTlsTransport], [10, 'TLS', createTlsTransport], [13, 'TLS', createTlsTransport],
  ] as const) {
    it(`${size} members over ${lane} commit, lose ${maxFaulty(size)} of them with the leader, change the view and commit again`, async () => {
      const members = new SocketGroup();
      try {
        await members.open(size, openLane);
        const last = members.hosts.at(-1) as GroupHost;
        const first = await last.submit(new Reference(1).create(['CREATE TABLE a (id INTEGER PRIMARY KEY)'], 1).command);
        expect(first.kind, JSON.stringify(first, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).to.equal('receipt');
        const { view, leader } = last.status();
        for (let i = 0; i < maxFaulty(size); i++) await members.lose((leader + i) % (size - 1));
        const second = await last.submit(new Reference(2).create(['CREATE TABLE b (id INTEGER PRIMARY KEY)'], 2).command);
        expect(second.kind).to.equal('receipt');
        await until('the next view', () => last.status().view > view && last.status().changingTo === undefined, 60_000);
      } finally {
        await members.close();
      }
    });
  }
});
