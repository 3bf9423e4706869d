import { defineFaults } from '../../protocol/errors/index.ts';

export const PoolFullReason = 'too many questions are being answered';

export const hostFaults = defineFaults('HOST', {
  busy: ['too many questions between nodes are open', 'try again in a moment'],
  peerTimeout: ['a member of the group did not answer in time', 'nothing: another member is asked'],
  badReply: ['a member of the group answered with something unreadable', 'nothing: another member is asked'],
  notMember: ['this node is not a member of that group', 'ask a member; the registry contract lists them'],
  quarantined: ['the journal or the signing guard of this node is missing or older than what it signed', 'rotate the key and rejoin the group'],
  halted: ['this replica stopped because an invariant broke or its state differs from the group', 'read the log, repair by state transfer'],
  noBlock: ['that block is not in the history of this member', 'ask another member, or take the state of a newer checkpoint'],
  snapshotFailed: ['no member served a complete snapshot', 'check that the group is reachable; it is retried'],
});
