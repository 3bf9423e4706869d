import { defineFaults } from '../errors/index.ts';

export const marketFaults = defineFaults('MARKET', {
  badPoint: ['the public key is no point of the curve', 'take the one from the listing or the purchase'],
  wrongKey: ['the delivered key is not the one that the listing committed to', 'complain: price and bond are yours (picolo market complain)'],
  keyIsCorrect: ['the delivered key is the committed one', 'open the data with it; about their quality nobody decides here'],
  alteredCell: ['the cell cannot be opened: another key, another place, or altered bytes', 'check the key and that the row was proven'],
  wrongPolicy: ['the listing sells something else', 'compare database, table and columns with the listing'],
});
