import { createServer, type AddressInfo } from 'node:net';
import { systemClock } from '../../../node/clock/index.ts';
import { createMemorySigner } from '../../../node/memory/index.ts';
import { createLibp2pTransport, createTlsTransport } from '../../../node/network/index.ts';
import { transportConformance } from '../../conformance/transport.ts';
import { testDomain } from './fixtures.ts';

const timing = { handshakeMs: 2_000, keepAliveMs: 1_000, backoffMinMs: 10, backoffMaxMs: 100 };

transportConformance('TLS', async () => ({
  place: freePlace,
  start: (key, place) => createTlsTransport({ signer: createMemorySigner(key, testDomain), clock: systemClock, ...place, ...timing }),
}));

transportConformance('libp2p', async () => ({
  place: freePlace,
  start: (key, place) => createLibp2pTransport({ signer: createMemorySigner(key, testDomain), clock: systemClock, ...place, ...timing }),
}));

function freePlace(): Promise<{ host: string; port: number }> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve({ host: '127.0.0.1', port }));
    });
  });
}
