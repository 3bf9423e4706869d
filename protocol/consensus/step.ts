import { unreachable } from '../errors/index.ts';
import { onCertificate } from './fast/certificate.ts';
import { onFastAck } from './fast/receipts.ts';
import { onFastBatch } from './fast/vote.ts';
import { onFastVote } from './fast/votes.ts';
import { flushQueue, onSubmit, onSubmitMessage, watchPending } from './fast/gateway.ts';
import { retryAcks } from './fast/ack.ts';
import { setAlarm } from './alarm.ts';
import { onBlocks, onFetch, onInstalled, catchUp } from './catchup.ts';
import { onAnnounce, onCheckpointVote, onCommitment, reannounce, startCheckpoints } from './checkpoint.ts';
import { onReject } from './classic/arbitrate.ts';
import { onBlockVote, onCertified } from './classic/certify.ts';
import { propose } from './classic/propose.ts';
import { considerProposal, onProposal } from './classic/vote.ts';
import { keepCeiling, readClock } from './clock.ts';
import type { Effect } from './effect.ts';
import { heartbeat, onHeartbeat } from './heartbeat.ts';
import type { Input } from './input.ts';
import type { Message } from './message.ts';
import { onFlushed, releaseHeld } from './persist.ts';
import { onRecall, onRecalled, startRecall, watchRecall } from './recall.ts';
import { pruneRecent } from './recent.ts';
import { putBackVotes } from './restart.ts';
import { onReconfigure } from './reconfigure.ts';
import type { Replica } from './state.ts';
import { onViewChange, watchView } from './view/change.ts';
import { openView } from './view/open.ts';
import { noteHeard } from './view/silence.ts';
import type { ReplicaIndex } from '../types/index.ts';

/**
 * Feeds one input and returns what the replica wants done, in order. The host performs every effect
 * (commits synchronously) before the next step. Never throws for anything a peer can send.
 */
export function step(replica: Replica, input: Input): Effect[] {
  if (replica.halted) return [];
  replica.out = [];
  readClock(replica, input.nowMs);
  pruneRecent(replica);
  handle(replica, input);
  settle(replica);
  setAlarm(replica);
  return [...replica.out.filter((effect) => !isLast(effect)), ...replica.out.filter(isLast)];
}

/** Compaction after a certified checkpoint must see the ledger with every commit of this step applied. */
function isLast({ kind }: Effect): boolean {
  return kind === 'certified' || kind === 'sealed';
}

function handle(replica: Replica, input: Input): void {
  switch (input.kind) {
    case 'start': return start(replica); // §2.14
    case 'tick': return undefined;
    case 'submit': return onSubmit(replica, input.command); // §2.5 gateway
    case 'message': return onMessage(replica, input.from, input.message);
    case 'flushed': return onFlushed(replica, input.token); // §2.14
    case 'commitment': return onCommitment(replica, input.height, input.commitment); // §2.11
    case 'reconfigure': return onReconfigure(replica, input.epoch, input.roster); // §2.13
    case 'installed': return onInstalled(replica, input.anchor); // §2.12
    default: return unreachable(input, 'input');
  }
}

function onMessage(replica: Replica, from: ReplicaIndex, message: Message): void {
  noteHeard(replica, from); // V-SILENT
  switch (message.kind) {
    case 'fastBatch': return onFastBatch(replica, from, message); // F-VOTE
    case 'fastVote': return onFastVote(replica, from, message); // certificate
    case 'fastAck': return onFastAck(replica, from, message); // final
    case 'proposal': return onProposal(replica, from, message); // C-VOTE
    case 'blockVote': return onBlockVote(replica, from, message); // QC
    case 'viewChange': return onViewChange(replica, from, message); // §2.8
    case 'checkpointVote': return onCheckpointVote(replica, from, message); // §2.11
    case 'certificate': return onCertificate(replica, message); // §2.5
    case 'reject': return onReject(replica, from, message); // C-ARBITRATE
    case 'heartbeat': return onHeartbeat(replica, from, message); // §2.10
    case 'submit': return onSubmitMessage(replica, message.command); // §2.7
    case 'certified': return onCertified(replica, message.qc); // §2.6 commit
    case 'announce': return onAnnounce(replica, from, message); // §2.11
    case 'fetch': return onFetch(replica, from, message); // §2.12
    case 'blocks': return onBlocks(replica, from, message); // §2.12
    case 'recall': return onRecall(replica, from); // §2.14
    case 'recalled': return onRecalled(replica, from, message); // §2.14
    default: return unreachable(message, 'message');
  }
}

function start(replica: Replica): void {
  keepCeiling(replica);
  startCheckpoints(replica);
  putBackVotes(replica);
  startRecall(replica);
}

/** What follows from the new state, whatever the input was: each looks and acts when it is its turn. */
function settle(replica: Replica): void {
  keepCeiling(replica);
  releaseHeld(replica);
  watchView(replica);
  openView(replica);
  considerProposal(replica);
  propose(replica);
  flushQueue(replica);
  retryAcks(replica);
  watchPending(replica);
  catchUp(replica);
  reannounce(replica);
  watchRecall(replica);
  heartbeat(replica);
}
