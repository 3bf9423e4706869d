import { createMemoryNetwork } from '../../../node/memory/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import { transportConformance } from '../../conformance/transport.ts';

transportConformance('memory', async () => {
  const network = createMemoryNetwork();
  let ports = 1;
  return {
    place: async () => ({ host: 'memory', port: ports++ }),
    start: async (key, place) => network.join({ node: addressOf(key), ...place }),
  };
});
