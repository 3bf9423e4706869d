import { defineFaults } from '../errors/index.ts';

export const codecFaults = defineFaults('CODEC', {
  malformed: ['the bytes are not a well-formed message', 'send the canonical encoding of the message'],
  notCanonical: ['the bytes are not the canonical encoding of what they say', 'send the canonical encoding'],
  wrongShape: ['a field has the wrong type or is out of range', 'compare the message with docs/spec'],
  oversized: ['the message is longer than the limit', 'split it'],
});
