import { defineFaults } from '../../protocol/errors/index.ts';

export const cryptoFaults = defineFaults('CRYPTO', {
  noNative: [
    'the native secp256k1 library could not be loaded',
    'run npm install on this platform, or accept the slower pure backend (about 20 times slower signatures)',
  ],
  selfTestFailed: [
    'the native libraries give other bytes than the reference',
    'do not start the node; reinstall the packages from the lock file',
  ],
});
