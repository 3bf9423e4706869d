import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { expect } from 'chai';
import { createLibp2p } from 'libp2p';
import { connect as connectTcp } from 'node:net';
import { systemClock } from '../../../node/clock/index.ts';
import { createMemorySigner } from '../../../node/memory/index.ts';
import { createLibp2pTransport, type Lane } from '../../../node/network/index.ts';
import { frameHeader } from '../../../node/network/frames.ts';
import { encodeHello } from '../../../node/network/hello.ts';
import { bindingOf, FRAMES } from '../../../node/network/libp2p-carrier.ts';
import type { Signer } from '../../../node/ports/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import type { Hash32 } from '../../../protocol/types/index.ts';
import { faultOf } from '../../conformance/signer.ts';
import { settle, until } from '../../conformance/until.ts';
import { testDomain } from './fixtures.ts';

const timing = { handshakeMs: 1_500, keepAliveMs: 500, backoffMinMs: 10, backoffMaxMs: 50 };
const HOST = '127.0.0.1';
const signerOf = (seed: number, domain = testDomain): Signer => createMemorySigner(new Uint8Array(32).fill(seed), domain);
const framed = (payload: Uint8Array): Uint8Array => Buffer.concat([frameHeader(payload.length), payload]);

interface Raw {
  readonly connection: Connection;
  readonly stream: Stream;
  /** What a Hello on this connection has to be signed over. */
  readonly binding: Hash32;
  readonly closed: () => boolean;
}

describe('libp2p lane against strangers', () => {
  let cleanups: (() => unknown)[];
  beforeEach(() => {
    cleanups = [];
  });
  afterEach(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  async function node(signer: Signer, heard: Uint8Array[] = []): Promise<Lane> {
    const lane = await createLibp2pTransport({ signer, host: HOST, port: 0, clock: systemClock, ...timing });
    cleanups.push(() => lane.close());
    lane.onFrame((_from, frame) => heard.push(frame));
    return lane;
  }

  async function stranger(): Promise<Libp2p> {
    const made = await createLibp2p({
      addresses: { listen: [`/ip4/${HOST}/tcp/0`] }, transports: [tcp()], connectionEncrypters: [noise()], streamMuxers: [yamux()],
      connectionMonitor: { enabled: false },
    });
    cleanups.push(() => made.stop());
    return made;
  }

  async function dial(from: Libp2p, port: number): Promise<Raw> {
    const connection = await from.dial(multiaddr(`/ip4/${HOST}/tcp/${port}`), { force: true });
    const stream = await connection.newStream(FRAMES);
    let closed = false;
    stream.addEventListener('message', () => undefined);
    stream.addEventListener('close', () => (closed = true));
    const binding = bindingOf(from.peerId.publicKey?.raw as Uint8Array, connection.remotePeer.publicKey?.raw as Uint8Array);
    return { connection, stream, binding, closed: () => closed || connection.status !== 'open' };
  }

  async function authenticated(a: Lane, signer: Signer, from: Libp2p): Promise<Raw> {
    const raw = await dial(from, a.port);
    raw.stream.send(framed(encodeHello(signer, raw.binding, a.self)));
    await until('the link', () => a.stats().connected.includes(signer.address));
    return raw;
  }

  it('says what to do when its port is taken', async () => {
    const a = await node(signerOf(1));
    const second = { signer: signerOf(2), host: HOST, port: a.port, clock: systemClock };
    expect(await faultOf(() => createLibp2pTransport(second))).to.equal('NETWORK_PORT_IN_USE');
    expect(await faultOf(() => createLibp2pTransport({ ...second, host: '203.0.113.7', port: 0 }))).to.equal('NETWORK_LISTEN_FAILED');
  });

  it('refuses hellos of another connection, network, receiver or form, and one sent back to its author', async () => {
    const [a, signer, from] = [await node(signerOf(1)), signerOf(2), await stranger()];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const elsewhere = await dial(await stranger(), a.port);
    const attempts: ((binding: Hash32) => Uint8Array)[] = [
      () => encodeHello(signer, elsewhere.binding, a.self),
      (binding) => encodeHello(signerOf(2, { ...testDomain, chainId: 1n }), binding, a.self),
      (binding) => encodeHello(signer, binding, signerOf(3).address),
      (binding) => encodeHello(signerOf(9), binding, a.self),
      () => new Uint8Array(104),
      (binding) => encodeHello(signerOf(1), binding, a.self),
    ];
    for (const attempt of attempts) {
      const raw = await dial(from, a.port);
      raw.stream.send(framed(attempt(raw.binding)));
      await until('the end of the connection', raw.closed);
    }
    expect(a.stats().connected).to.deep.equal([]);
    expect(a.stats().faults).to.include({ NETWORK_WRONG_IDENTITY: 1, NETWORK_UNKNOWN_PEER: 2 });
    expect(a.stats().faults['NETWORK_BAD_HELLO']).to.be.at.least(3);
    await authenticated(a, signer, from);
  });

  it('detects someone in the middle who passes everything on', async () => {
    const heard: Uint8Array[] = [];
    const [a, b, middle] = [await node(signerOf(1)), await node(signerOf(2), heard), await stranger()];
    await middle.handle(FRAMES, async (inner) => {
      const held: Uint8Array[] = [];
      let pass = (data: Uint8Array): unknown => held.push(data);
      inner.addEventListener('message', ({ data }) => pass(data.subarray()));
      const { stream: outer } = await dial(middle, b.port);
      pass = (data) => outer.status === 'open' && outer.send(data);
      for (const data of held) pass(data);
      outer.addEventListener('message', ({ data }) => inner.status === 'open' && inner.send(data.subarray()));
    });
    const port = Number(/tcp\/(\d+)/.exec(String(middle.getMultiaddrs()[0]))?.[1]);
    b.setPeers([{ node: a.self, host: HOST, port: 1 }]);
    a.setPeers([{ node: b.self, host: HOST, port }]);
    a.send(b.self, new Uint8Array([1]));
    await until('the refusal', () => (b.stats().faults['NETWORK_BAD_HELLO'] ?? 0) > 0);
    expect([a.stats().connected, heard]).to.deep.equal([[], []]);
  });

  it('gives a stranger no memory and no time: long first frames, silence, connections without a stream and without noise', async () => {
    const [a, from] = [await node(signerOf(1)), await stranger()];
    const long = await dial(from, a.port);
    long.stream.send(frameHeader(200));
    await until('the end of the long one', long.closed);
    const silent = await dial(from, a.port);
    await until('the end of the silent one', silent.closed);
    const idle = await from.dial(multiaddr(`/ip4/${HOST}/tcp/${a.port}`), { force: true });
    await until('the end of the idle one', () => idle.status !== 'open');
    const socket = connectTcp(a.port, HOST).on('error', () => undefined).resume();
    cleanups.push(() => socket.destroy());
    await until('the end of the one that says nothing at all', () => socket.destroyed || socket.readableEnded);
    expect(a.stats().faults).to.include({ NETWORK_FRAME_TOO_LARGE: 1, NETWORK_HANDSHAKE_TIMEOUT: 1 });
  });

  it('closes the link of a peer that sends an oversized frame, and of one that falls silent', async () => {
    const heard: Uint8Array[] = [];
    const [a, signer, from] = [await node(signerOf(1), heard), signerOf(2), await stranger()];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const loud = await authenticated(a, signer, from);
    loud.stream.send(framed(new Uint8Array([1, 2, 3])));
    await until('the frame', () => heard.length === 1);
    loud.stream.send(frameHeader(limits.frameBytes + 1));
    await until('the end of the loud one', loud.closed);
    const silent = await authenticated(a, signer, from);
    await until('the end of the silent one', silent.closed);
    expect(a.stats().faults).to.include({ NETWORK_FRAME_TOO_LARGE: 1, NETWORK_SILENT_PEER: 1 });
  });

  it('bounds what it keeps for a peer that does not read', async () => {
    const [a, signer, from] = [await node(signerOf(1)), signerOf(2), await stranger()];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const { stream } = await authenticated(a, signer, from);
    stream.pause();
    for (let i = 0; i < 3 * (limits.peerQueueBytes / 1_000_000); i++) a.send(signer.address, new Uint8Array(1_000_000));
    await settle();
    expect(a.stats().queuedBytes).to.be.at.most(limits.peerQueueBytes);
    expect(a.stats().droppedFrames).to.be.above(0);
  });
});
