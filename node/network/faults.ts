import { defineFaults } from '../../protocol/errors/index.ts';

export const networkFaults = defineFaults('NETWORK', {
  portInUse: ['another process listens on this port', 'choose another port, or stop the process that holds it'],
  listenFailed: ['the node cannot listen on this address', 'check the host and the port in the configuration'],
  frameTooLarge: ['a frame is longer than the limit', 'upgrade or remove the peer that sends it'],
  handshakeTimeout: ['the other side did not finish the handshake in time', 'check the address of the peer; it is tried again'],
  badHello: ['the other side did not prove who it is on this connection', 'check that nothing sits between the two nodes'],
  wrongIdentity: ['another node answers at this address', 'correct the address of the peer in the registry'],
  unknownPeer: ['a node outside the current groups wanted a link', 'nothing: strangers are refused'],
  silentPeer: ['nothing was heard from the peer for too long', 'nothing: the link is made again'],
  notCarried: ['a member of another group did not take a proof', 'nothing: it is told again, and to other members'],
  unreachable: ['the peer cannot be reached', 'nothing: it is tried again with growing delays'],
});
