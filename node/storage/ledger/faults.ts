import { defineFaults } from '../../../protocol/errors/index.ts';

export const ledgerFaults = defineFaults('LEDGER', {
  wrongFile: ['the file is not the ledger of this group', 'start with the data folder that belongs to it'],
  wrongFormat: ['the ledger was written by another version of the software', 'see docs/operate for the upgrade'],
  corrupt: ['the ledger contradicts itself', 'move the file away and restart; the node fetches the state from its group'],
  badChunk: ['the snapshot chunk does not belong to the checkpoint', 'ask another replica'],
  incomplete: ['chunks of the snapshot are missing', 'import every chunk first'],
  unknownCheckpoint: ['the ledger does not hold the tree of this checkpoint', 'ask for the newest certified one'],
  rankOutOfRange: ['the checkpoint has fewer leaves', 'ask for a rank below its row count'],
});
