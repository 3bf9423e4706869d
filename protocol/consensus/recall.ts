import { compareRank, type ReplicaIndex } from '../types/index.ts';
import { faults, quorum } from './config.ts';
import type { RecalledMessage } from './message.ts';
import { vouched } from './position.ts';
import { send, type Recalling, type Replica } from './state.ts';

/** How long the others are waited for once q have answered, in heartbeats: the one who remembers may be slow. */
const GRACE_HEARTBEATS = 4;

/**
 * After a restart the replica asks what the others hold of its key, before it signs anything (§2.14).
 * Peers prove with its own signatures, or more than f of them heard of some, so no f can talk it into silence.
 */
export function startRecall(replica: Replica): void {
  const { recalling, config } = replica;
  if (recalling === undefined) return;
  if (quorum(config) <= 1) replica.recalling = undefined; // a group of one
  else send(replica, 'all', { kind: 'recall' });
}

export function onRecall(replica: Replica, from: ReplicaIndex): void {
  const peer = replica.peers[from];
  if (peer === undefined || from === replica.self) return;
  const change = peer.change === undefined ? null : { value: peer.change.value, signature: peer.change.signature };
  send(replica, from, {
    kind: 'recalled', subject: from, blockVote: peer.blockVote ?? null, fastAck: peer.fastAck ?? null, viewChange: change, heard: peer.signed,
  });
}

/** Signatures by this key beyond the journal: the journal is an old image (§2.14). Verified by `verifyMessage`. */
export function onRecalled(replica: Replica, from: ReplicaIndex, message: RecalledMessage): void {
  const { recalling, config, rules } = replica;
  if (recalling === undefined || message.subject !== replica.self || from === replica.self) return;
  recalling.answers.set(from, message.heard);
  const beyond = provenBeyond(replica, message) ?? (rules.hearsay ? heardBeyond(replica, recalling) : undefined);
  if (beyond !== undefined) return quarantine(replica, `${beyond} beyond the journal`);
  const asked = config.roster.length - 1;
  if (recalling.answers.size >= asked) replica.recalling = undefined;
  else if (recalling.answers.size >= quorum(config) - 1) recalling.enoughMs ??= replica.elapsedMs; // with the own memory q
}

function provenBeyond({ lastVoted, ackSeq, vcView }: Replica, { blockVote, fastAck, viewChange }: RecalledMessage): string | undefined {
  if (blockVote !== null && compareRank(blockVote.value, lastVoted) > 0) return 'block vote';
  if ((fastAck?.value.ackSeq ?? 0n) > ackSeq) return 'acknowledgement';
  return (viewChange?.value.newView ?? 0n) > vcView ? 'view change' : undefined;
}

/** What went to one member that is away now, or was only counted (decision 0197). */
function heardBeyond({ config, lastVoted, ackSeq, voteSeq }: Replica, { answers }: Recalling): string | undefined {
  const heard = vouched([...answers.values()], faults(config));
  if (compareRank(heard.voted, lastVoted) > 0) return 'block vote heard of';
  if (heard.ackSeq > ackSeq) return 'acknowledgement heard of';
  return heard.voteSeq > voteSeq ? 'fast vote heard of' : undefined;
}

/** Signs nothing more in this epoch; a new key enters with the next (§2.14). */
export function quarantine(replica: Replica, cause: string): void {
  if (replica.quarantined) return;
  replica.quarantined = true;
  replica.recalling = undefined;
  replica.out.push({ kind: 'milestone', milestone: { event: 'quarantined', cause } });
}

/** Goes on without the silent ones after a grace; until then asks again: messages get lost. */
export function watchRecall(replica: Replica): void {
  const { recalling, elapsedMs, rules, config: { timing: { heartbeatMs } } } = replica;
  if (recalling === undefined) return;
  if (recalling.enoughMs !== undefined && elapsedMs - recalling.enoughMs >= (rules.hearsay ? heartbeatMs * GRACE_HEARTBEATS : 0)) {
    replica.recalling = undefined;
    return;
  }
  if (elapsedMs - replica.changeSentMs < heartbeatMs * 2) return;
  replica.changeSentMs = elapsedMs;
  send(replica, 'all', { kind: 'recall' });
}
