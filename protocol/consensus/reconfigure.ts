import { configHashOf, rosterOf } from '../membership/index.ts';
import type { Address, Epoch } from '../types/index.ts';
import { tellSealed } from './checkpoint.ts';
import type { Replica } from './state.ts';

/** The registry announced the next epoch: as leader propose its block, as voter accept it (§2.13). */
export function onReconfigure(replica: Replica, epoch: Epoch, roster: readonly Address[]): void {
  if (epoch !== replica.config.epoch + 1n || replica.next !== undefined) return;
  replica.next = { epoch, roster, hash: configHashOf(rosterOf(replica.config.group, epoch, roster)), sinceMs: replica.elapsedMs };
  tellSealed(replica);
}
