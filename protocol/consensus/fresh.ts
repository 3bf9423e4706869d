import type { Timestamp } from '../types/index.ts';
import type { LeaderState, ViewState } from './state.ts';

/** Fresh state of a view. */
export function newView(startedMs: number, silentLeader: boolean): ViewState {
  return {
    opening: undefined, fastOpen: false, startedMs, overdueMs: 0, locks: new Map(), batches: new Map(), newest: undefined, claims: new Map(),
    consumed: new Map(), votedBlocks: new Set(),
    votedCloseTs: 0n as Timestamp, certified: new Map(), unacked: new Set(), proposal: undefined, proposalFrom: 0, proposalDone: true,
    proposalDueMs: undefined, frozen: new Map(), deadAcks: [], ackRetry: false,
    leader: newLeader(silentLeader),
  };
}

function newLeader(silent: boolean): LeaderState {
  return {
    outstanding: undefined, proposedMs: -Infinity, sentMs: 0, lastRound: 0, signing: false, timed: false, silent, firstRejectMs: undefined,
    rejects: new Set(), votes: new Map(), qcToTell: undefined,
  };
}
