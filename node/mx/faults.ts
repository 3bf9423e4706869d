import { defineFaults } from '../../protocol/errors/index.ts';

export const mxServiceFaults = defineFaults('MX_SERVICE', {
  closed: ['the MX service is closed', 'start the node again'],
  badRows: ['the local database answered with values that are no SQL values', 'return integers as bigint, reals as number, one value per column'],
  refused: ['the network refused the question', 'see the code; ask again later, with fewer hops, or deposit for access'],
});
