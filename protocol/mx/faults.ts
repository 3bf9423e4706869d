import { defineFaults } from '../errors/index.ts';

export const mxFaults = defineFaults('MX', {
  badConfig: ['an MX setting is out of range', 'keep it within protocol/limits'],
  badAsk: ['the request is out of bounds', 'check hops, number of results and expiry against docs/spec/mx.md'],
  badHello: ['the other side did not prove who it is', 'dial the node by its address and sign the challenge it sent'],
  tooManyOpen: ['this client has too many open transactions', 'wait for END or send CLOSE'],
  unknownTransaction: ['no open transaction has this id', 'it ended, was closed, or was never opened here'],
});
