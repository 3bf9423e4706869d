import { defineFaults } from '../../protocol/errors/index.ts';

export const storageFaults = defineFaults('STORAGE', {
  folderInUse: ['another process uses this data folder', 'stop it first; two nodes with one key would contradict each other and be slashed'],
});
