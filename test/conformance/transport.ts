import { expect } from 'chai';
import type { PeerAddress, Transport } from '../../node/ports/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { limits } from '../../protocol/limits/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import { settle, until } from './until.ts';

/** What an adapter's test provides: how to start a node with a key at a place. */
export interface TransportWorld {
  /** Reserves a place (host and port) that a node may take now, later or never. */
  place(): Promise<{ readonly host: string; readonly port: number }>;
  start(privateKey: Uint8Array, place: { readonly host: string; readonly port: number }): Promise<Transport>;
}

interface Party {
  readonly transport: Transport;
  readonly address: PeerAddress;
  readonly key: Uint8Array;
  readonly heard: { readonly from: Address; readonly frame: Uint8Array }[];
}

const numbered = (n: number, length = 4): Uint8Array => {
  const frame = new Uint8Array(Math.max(4, length)).fill(n & 0xff);
  new DataView(frame.buffer).setUint32(0, n);
  return frame;
};
const numberOf = (frame: Uint8Array): number => new DataView(frame.buffer, frame.byteOffset).getUint32(0);

/** The contract of the `Transport` port: every adapter passes it. */
export function transportConformance(name: string, makeWorld: () => Promise<TransportWorld>): void {
  describe(`transport: ${name}`, () => {
    let world: TransportWorld;
    let running: Transport[];
    beforeEach(async () => {
      world = await makeWorld();
      running = [];
    });
    afterEach(() => Promise.all(running.map((transport) => transport.close())));

    async function start(seed: number, at?: { host: string; port: number }): Promise<Party> {
      const key = new Uint8Array(32).fill(seed);
      const place = at ?? (await world.place());
      const transport = await world.start(key, place);
      running.push(transport);
      const heard: Party['heard'] = [];
      transport.onFrame((from, frame) => heard.push({ from, frame }));
      return { transport, key, heard, address: { node: addressOf(key), ...place } };
    }

    function introduce(...parties: Party[]): void {
      for (const party of parties) party.transport.setPeers(parties.map((other) => other.address));
    }

    async function pair(): Promise<[Party, Party]> {
      const [a, b] = [await start(1), await start(2)];
      introduce(a, b);
      await until('the link', () => linked(a, b) && linked(b, a));
      return [a, b];
    }

    const linked = (a: Party, b: Party): boolean => a.transport.stats().connected.includes(b.address.node);

    it('is named by its key and links each pair once', async () => {
      const parties = [await start(1), await start(2), await start(3)];
      introduce(...parties);
      await until('all links', () => parties.every((p) => p.transport.stats().connected.length === 2));
      for (const party of parties) {
        expect(party.transport.self).to.equal(party.address.node);
        const others = parties.filter((p) => p !== party).map((p) => p.address.node).sort();
        expect(party.transport.stats().connected).to.deep.equal(others);
      }
    });

    it('delivers frames of all sizes in order and names the sender', async () => {
      const [a, b] = await pair();
      const sizes = [4, 5, 100, 16_383, 16_384, 16_385, 4, 70_000, 4, 1_000_000, 4, 4, limits.frameBytes, 4];
      sizes.forEach((size, i) => a.transport.send(b.address.node, numbered(i, size)));
      b.transport.send(a.address.node, numbered(7));
      await until('all frames', () => b.heard.length === sizes.length && a.heard.length === 1);
      expect(b.heard.map(({ frame }) => numberOf(frame))).to.deep.equal(sizes.map((_, i) => i));
      expect(b.heard.map(({ frame }) => frame.length)).to.deep.equal(sizes);
      expect(new Set(b.heard.map(({ from }) => from))).to.deep.equal(new Set([a.address.node]));
      expect(b.heard.every(({ frame }, i) => frame.subarray(4).every((byte) => byte === (i & 0xff)))).to.equal(true);
      expect(a.heard[0]?.from).to.equal(b.address.node);
    });

    it('carries thousands of small frames in order in both directions at once', async () => {
      const [a, b] = await pair();
      const count = 5_000;
      for (let i = 0; i < count; i++) {
        a.transport.send(b.address.node, numbered(i, 4 + (i % 97)));
        b.transport.send(a.address.node, numbered(i, 4 + (i % 89)));
        if (i % 500 === 0) await settle(0);
      }
      await until('all frames', () => a.heard.length === count && b.heard.length === count);
      for (const { heard } of [a, b]) expect(heard.every(({ frame }, i) => numberOf(frame) === i)).to.equal(true);
    });

    it('keeps frames for a peer that is not there yet', async () => {
      const a = await start(1);
      const later = { node: addressOf(new Uint8Array(32).fill(2)), ...(await world.place()) };
      a.transport.setPeers([later]);
      for (let i = 0; i < 3; i++) a.transport.send(later.node, numbered(i));
      await settle();
      expect(a.transport.stats()).to.deep.include({ connected: [], queuedBytes: 12, droppedFrames: 0 });
      const b = await start(2, later);
      introduce(a, b);
      await until('the kept frames', () => b.heard.length === 3);
      expect(b.heard.map(({ frame }) => numberOf(frame))).to.deep.equal([0, 1, 2]);
      expect(a.transport.stats().queuedBytes).to.equal(0);
    });

    it('bounds the queue of an absent peer and drops the oldest frames', async () => {
      const a = await start(1);
      const later = { node: addressOf(new Uint8Array(32).fill(2)), ...(await world.place()) };
      a.transport.setPeers([later]);
      const size = 1024 * 1024;
      const fits = limits.peerQueueBytes / size;
      for (let i = 0; i < fits + 5; i++) a.transport.send(later.node, numbered(i, size));
      expect(a.transport.stats()).to.deep.include({ queuedBytes: limits.peerQueueBytes, droppedFrames: 5 });
      const b = await start(2, later);
      introduce(a, b);
      await until('the newest frames', () => b.heard.length === fits);
      expect(b.heard.map(({ frame }) => numberOf(frame))).to.deep.equal(Array.from({ length: fits }, (_, i) => i + 5));
    });

    it('links again after the peer restarted', async () => {
      const [a, b] = await pair();
      await b.transport.close();
      await until('the loss', () => !linked(a, b));
      const again = await start(2, b.address);
      introduce(a, again);
      await until('the new link', () => linked(a, again) && linked(again, a));
      a.transport.send(again.address.node, numbered(42));
      await until('a frame', () => again.heard.length > 0);
      expect(numberOf(again.heard.at(-1)?.frame as Uint8Array)).to.equal(42);
      again.transport.send(a.address.node, numbered(43));
      await until('an answer', () => a.heard.length > 0);
    });

    it('refuses another identity at the address of a peer', async () => {
      const a = await start(1);
      const impostor = await start(3);
      const claimed = { ...impostor.address, node: addressOf(new Uint8Array(32).fill(2)) };
      a.transport.setPeers([claimed]);
      impostor.transport.setPeers([a.address]);
      a.transport.send(claimed.node, numbered(1));
      const seen = (): object => ({ ...a.transport.stats().faults, ...impostor.transport.stats().faults });
      await until('the refusal', () => 'NETWORK_WRONG_IDENTITY' in seen());
      expect(a.transport.stats().connected).to.deep.equal([]);
      expect(impostor.transport.stats().connected).to.deep.equal([]);
      expect(impostor.heard).to.deep.equal([]);
    });

    it('refuses a node that is not in the list of peers', async () => {
      const [a, b] = [await start(1), await start(2)];
      b.transport.setPeers([a.address]);
      b.transport.send(a.address.node, numbered(1));
      await settle(300);
      expect(a.heard).to.deep.equal([]);
      expect(a.transport.stats().connected).to.deep.equal([]);
      expect(b.transport.stats().connected).to.deep.equal([]);
    });

    it('cuts the link to a peer that is no longer wanted', async () => {
      const [a, b] = await pair();
      a.transport.setPeers([]);
      await until('the cut', () => !linked(a, b) && !linked(b, a));
      b.transport.send(a.address.node, numbered(1));
      a.transport.send(b.address.node, numbered(2));
      await settle();
      expect(a.heard).to.deep.equal([]);
      expect(b.heard).to.deep.equal([]);
      expect(a.transport.stats().droppedFrames).to.equal(1);
    });

    it('never throws for frames it cannot carry, and keeps the link', async () => {
      const [a, b] = await pair();
      a.transport.send(b.address.node, new Uint8Array(limits.frameBytes + 1));
      a.transport.send(b.address.node, new Uint8Array(0));
      a.transport.send(addressOf(new Uint8Array(32).fill(9)), numbered(1));
      a.transport.send(b.address.node, numbered(5));
      await until('the good frame', () => b.heard.length === 1);
      expect(numberOf(b.heard[0]?.frame as Uint8Array)).to.equal(5);
      expect(a.transport.stats().droppedFrames).to.equal(3);
      expect(a.transport.stats().faults['NETWORK_FRAME_TOO_LARGE']).to.equal(2);
    });

    it('closes twice without harm and delivers nothing afterwards', async () => {
      const [a, b] = await pair();
      await a.transport.close();
      await a.transport.close();
      a.transport.send(b.address.node, numbered(1));
      a.transport.setPeers([b.address]);
      await until('the loss', () => !linked(b, a));
      expect(b.heard).to.deep.equal([]);
      expect(a.transport.stats().connected).to.deep.equal([]);
    });
  });
}
