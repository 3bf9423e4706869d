import { X509Certificate } from 'node:crypto';
import { connect as connectTcp, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { systemClock } from '../../../node/clock/index.ts';
import { createMemorySigner } from '../../../node/memory/index.ts';
import { createTlsTransport, type Lane } from '../../../node/network/index.ts';
import { createTlsIdentity } from '../../../node/network/certificate.ts';
import { frameHeader } from '../../../node/network/frames.ts';
import { bindingOf, encodeHello } from '../../../node/network/hello.ts';
import type { PeerAddress, Signer } from '../../../node/ports/index.ts';
import { limits } from '../../../protocol/limits/index.ts';
import { faultOf } from '../../conformance/signer.ts';
import { settle, until } from '../../conformance/until.ts';
import { testDomain } from './fixtures.ts';

const timing = { handshakeMs: 300, keepAliveMs: 150, backoffMinMs: 10, backoffMaxMs: 50 };
const HOST = '127.0.0.1';
const signerOf = (seed: number, domain = testDomain): Signer => createMemorySigner(new Uint8Array(32).fill(seed), domain);

describe('direct lane against strangers', () => {
  let cleanups: (() => unknown)[];
  beforeEach(() => {
    cleanups = [];
  });
  afterEach(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  async function node(signer: Signer): Promise<Lane & { place: PeerAddress; heard: Uint8Array[] }> {
    const transport = await createTlsTransport({ signer, host: HOST, port: 0, clock: systemClock, ...timing });
    cleanups.push(() => transport.close());
    const heard: Uint8Array[] = [];
    transport.onFrame((_from, frame) => heard.push(frame));
    return Object.assign(transport, { place: { node: signer.address, host: HOST, port: transport.port }, heard });
  }

  function tls(port: number, alpn = 'picolo/1'): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connectTls({ host: HOST, port, rejectUnauthorized: false, ALPNProtocols: [alpn] }, () => resolve(socket));
      socket.on('error', reject);
      cleanups.push(() => socket.destroy());
    });
  }

  const framed = (payload: Uint8Array): Buffer => Buffer.concat([frameHeader(payload.length), payload]);
  const gone = (socket: Socket): Promise<void> => until('the end of the connection', () => socket.destroyed || socket.readableEnded);

  async function authenticated(a: Lane, signer: Signer): Promise<TLSSocket> {
    const socket = await tls(a.port);
    socket.resume();
    socket.write(framed(encodeHello(signer, bindingOf(socket), a.self)));
    await until('the link', () => a.stats().connected.includes(signer.address));
    return socket;
  }

  it('makes a certificate that other software can read', () => {
    const { cert } = createTlsIdentity();
    const read = new X509Certificate(cert);
    expect(read.subject).to.equal('CN=picolo');
    expect(read.verify(read.publicKey)).to.equal(true);
    expect(read.publicKey.asymmetricKeyDetails?.namedCurve).to.equal('prime256v1');
    expect(createTlsIdentity().cert).not.to.equal(cert);
  });

  it('says what to do when its port is taken', async () => {
    const a = await node(signerOf(1));
    const second = { signer: signerOf(2), host: HOST, port: a.port, clock: systemClock };
    expect(await faultOf(() => createTlsTransport(second))).to.equal('NETWORK_PORT_IN_USE');
    expect(await faultOf(() => createTlsTransport({ ...second, host: '203.0.113.7', port: 0 }))).to.equal('NETWORK_LISTEN_FAILED');
  });

  it('detects someone in the middle who passes everything on', async () => {
    const [a, b] = [await node(signerOf(1)), await node(signerOf(2))];
    const middle = createTlsServer({ ...createTlsIdentity(), ALPNProtocols: ['picolo/1'] }, (inner) => {
      const outer = connectTls({ host: HOST, port: b.port, rejectUnauthorized: false, ALPNProtocols: ['picolo/1'] });
      inner.on('error', () => outer.destroy()).pipe(outer);
      outer.on('error', () => inner.destroy()).pipe(inner);
      cleanups.push(() => outer.destroy(), () => inner.destroy());
    });
    await new Promise<void>((resolve) => middle.listen(0, HOST, resolve));
    cleanups.push(() => middle.close());
    b.setPeers([{ ...a.place, port: 1 }]);
    a.setPeers([{ ...b.place, port: (middle.address() as AddressInfo).port }]);
    a.send(b.self, new Uint8Array([1]));
    await until('the refusal', () => (b.stats().faults['NETWORK_BAD_HELLO'] ?? 0) > 0);
    expect(a.stats().connected).to.deep.equal([]);
    expect(b.heard).to.deep.equal([]);
  });

  it('refuses hellos of another session, network, receiver or form', async () => {
    const [a, signer] = [await node(signerOf(1)), signerOf(2)];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const elsewhere = await tls(a.port);
    const stranger = signerOf(2, { ...testDomain, chainId: 1n });
    const attempts: ((socket: TLSSocket) => Uint8Array)[] = [
      () => encodeHello(signer, bindingOf(elsewhere), a.self),
      (socket) => encodeHello(stranger, bindingOf(socket), a.self),
      (socket) => encodeHello(signer, bindingOf(socket), signerOf(3).address),
      (socket) => encodeHello(signerOf(9), bindingOf(socket), a.self),
      () => new Uint8Array(104),
      (socket) => encodeHello(signerOf(1), bindingOf(socket), a.self),
    ];
    for (const attempt of attempts) {
      const socket = await tls(a.port);
      socket.resume();
      socket.write(framed(attempt(socket)));
      await gone(socket);
    }
    expect(a.stats().connected).to.deep.equal([]);
    expect(a.stats().faults).to.include({ NETWORK_BAD_HELLO: 3, NETWORK_WRONG_IDENTITY: 1, NETWORK_UNKNOWN_PEER: 2 });
    await authenticated(a, signer);
  });

  it('gives a stranger no memory: a long first frame ends the connection', async () => {
    const a = await node(signerOf(1));
    const socket = await tls(a.port);
    socket.resume();
    socket.write(frameHeader(200));
    await gone(socket);
    expect(a.stats().faults).to.include({ NETWORK_FRAME_TOO_LARGE: 1 });
  });

  it('ends handshakes that never finish, at every stage', async () => {
    const a = await node(signerOf(1));
    const silentTcp = connectTcp({ host: HOST, port: a.port }).on('error', () => undefined);
    cleanups.push(() => silentTcp.destroy());
    silentTcp.resume();
    const silentTls = await tls(a.port);
    silentTls.resume();
    await Promise.all([gone(silentTcp), gone(silentTls)]);
    expect(a.stats().faults).to.include({ NETWORK_HANDSHAKE_TIMEOUT: 1 });
  });

  it('gives up on a server that never answers, and tries again', async () => {
    const sockets: Socket[] = [];
    const silent = createTcpServer((socket) => void sockets.push(socket.on('error', () => undefined)));
    await new Promise<void>((resolve) => silent.listen(0, HOST, resolve));
    cleanups.push(() => silent.close(), () => sockets.forEach((socket) => socket.destroy()));
    const a = await node(signerOf(2));
    a.setPeers([{ node: signerOf(1).address, host: HOST, port: (silent.address() as AddressInfo).port }]);
    await until('two attempts', () => (a.stats().faults['NETWORK_HANDSHAKE_TIMEOUT'] ?? 0) >= 2);
  });

  it('does not speak another protocol', async () => {
    const a = await node(signerOf(1));
    const refused = await tls(a.port, 'h2').then(() => false, () => true);
    expect(refused).to.equal(true);
  });

  it('closes the link of a peer that sends an oversized frame, and counts it', async () => {
    const [a, signer] = [await node(signerOf(1)), signerOf(2)];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const socket = await authenticated(a, signer);
    socket.write(framed(new Uint8Array([7])));
    socket.write(frameHeader(limits.frameBytes + 1));
    await gone(socket);
    expect(a.heard.map((frame) => [...frame])).to.deep.equal([[7]]);
    expect(a.stats().connected).to.deep.equal([]);
    expect(a.stats().faults).to.include({ NETWORK_FRAME_TOO_LARGE: 1 });
  });

  it('drops a peer that falls silent, and keeps one that only sends heartbeats', async () => {
    const [a, signer] = [await node(signerOf(1)), signerOf(2)];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const socket = await authenticated(a, signer);
    const beats = setInterval(() => socket.write(frameHeader(0)), 50);
    await settle(700);
    clearInterval(beats);
    expect(a.stats().connected).to.have.length(1);
    await until('the loss', () => a.stats().connected.length === 0);
    expect(a.stats().faults).to.include({ NETWORK_SILENT_PEER: 1 });
    expect(a.heard).to.deep.equal([]);
  });

  it('keeps one link when the same peer comes twice, and the newer one wins', async () => {
    const [a, signer] = [await node(signerOf(1)), signerOf(2)];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const first = await authenticated(a, signer);
    const second = await authenticated(a, signer);
    await gone(first);
    second.write(framed(new Uint8Array([9])));
    await until('the frame', () => a.heard.length === 1);
    expect(a.stats().connected).to.have.length(1);
  });

  it('bounds what it keeps for a peer that does not read', async () => {
    const [a, signer] = [await node(signerOf(1)), signerOf(2)];
    a.setPeers([{ node: signer.address, host: HOST, port: 1 }]);
    const socket = await authenticated(a, signer);
    socket.pause();
    const beats = setInterval(() => socket.write(frameHeader(0)), 50);
    for (let i = 0; i < 60; i++) a.send(signer.address, new Uint8Array(1024 * 1024));
    expect(a.stats().queuedBytes).to.be.at.most(limits.peerQueueBytes);
    expect(a.stats().droppedFrames).to.be.above(10);
    clearInterval(beats);
  });
});
