import { defineFaults } from '../../protocol/errors/index.ts';

export const mxServiceFaults = defineFaults('MX_SERVICE', {
  closed: ['the MX service is closed', 'start the node again'],
  refused: ['the network refused the question', 'see the code; ask again later, with fewer hops, or deposit for access'],
});
