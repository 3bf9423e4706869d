import { encode } from '../../protocol/codec/index.ts';
import { encodeReceipt, type Receipt } from '../../protocol/consensus/index.ts';
import { decidedC, decodeCrossGroupMessage, payloadOf, type Prepare } from '../../protocol/cross-group/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { apiFaults, type CarryAnswer, type CarryRequest, type PrepareAnswer, type PrepareRequest } from '../../protocol/query/index.ts';
import { bytesOf, hexOf, type Command, type GroupId } from '../../protocol/types/index.ts';
import type { GroupHost, Groups } from '../host/index.ts';
import type { Clock } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { Finishers } from './finishers.ts';
import { receiptOf } from './submit.ts';

export interface PrepareParts {
  readonly groups: Groups<SqlLedger>;
  readonly finishers: Finishers;
  readonly clock: Clock;
}

/** Prepares a client's part; the answer proves what the group did with it (X-PREPARE). Asked again, it gives the proof again. */
export async function prepareStage({ groups, finishers, clock }: PrepareParts, host: GroupHost, { payload }: PrepareRequest): Promise<PrepareAnswer> {
  const command = readable(() => groups.read(bytesOf(payload)));
  const prepare = payloadOf(command);
  if (prepare?.kind !== 'prepare' || !host.accepts(command)) {
    throw apiFaults.badTransaction({ reason: 'the part is not one of its plan in this group and epoch' });
  }
  const receipt = await ordered(finishers, clock, host, command, prepare);
  const outcome = receipt.kind === 'classic' ? receipt.outcome : 'skipped';
  if (outcome === 'skipped') throw apiFaults.notFinal({ reason: 'stages are ordered by leaders' });
  return { outcome, receipt: hexOf(encodeReceipt(receipt)) };
}

/** Takes a proof that anybody carries here, and tells the decision as far as it is known (X-FINISH). */
export function carryStage(finishers: Finishers, { group, message }: CarryRequest): CarryAnswer {
  const decided = finishers.carried(group as GroupId, readable(() => decodeCrossGroupMessage(bytesOf(message))));
  return { decided: decided === undefined ? '0x' : hexOf(encode(decidedC, decided)) };
}

async function ordered(finishers: Finishers, clock: Clock, host: GroupHost, command: Command, prepare: Prepare): Promise<Receipt> {
  const { group } = host.config;
  const before = finishers.preparedBefore(group, prepare);
  if (before !== undefined) return before;
  return receiptOf(clock, host, command, () => apiFaults.notFinal({ reason: 'prepared before; its proof is not known here yet', command: command.id }));
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    throw apiFaults.malformed({ reason: error.code }, error);
  }
}
