import { encode } from '../../protocol/codec/index.ts';
import { commandOf, decidedC, decodeCrossGroupMessage, decodePayload } from '../../protocol/cross-group/index.ts';
import { encodeReceipt } from '../../protocol/consensus/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { apiFaults, type CarryAnswer, type CarryRequest, type PrepareAnswer, type PrepareRequest } from '../../protocol/query/index.ts';
import { bytesOf, hexOf, type Command, type GroupId } from '../../protocol/types/index.ts';
import { commandsOf, type GroupHost, type Groups } from '../host/index.ts';
import type { Clock } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { Finishers } from './finishers.ts';
import { receiptOf } from './submit.ts';

/** Prepares a client's part; the answer proves what the group did with it (X-PREPARE). */
export async function prepareStage(groups: Groups<SqlLedger>, host: GroupHost, clock: Clock, request: PrepareRequest): Promise<PrepareAnswer> {
  const command = readable(() => stageOf(groups, request));
  const { group, epoch } = host.config;
  if (command.stage?.kind !== 'prepare' || !commandsOf(groups.proofs, { group, epoch }, groups.read).verifier.command(command)) {
    throw apiFaults.badTransaction({ reason: 'the part is not one of its plan in this group and epoch' });
  }
  const receipt = await receiptOf(clock, host, command);
  if (receipt.kind !== 'classic') throw apiFaults.notFinal({ reason: 'stages are ordered by leaders' });
  return { outcome: receipt.outcome === 'applied' ? 'applied' : 'aborted', receipt: hexOf(encodeReceipt(receipt)) };
}

/** Takes a proof that anybody carries here, and tells the decision as far as it is known (X-FINISH). */
export function carryStage(finishers: Finishers, { group, message }: CarryRequest): CarryAnswer {
  const decided = finishers.carried(group as GroupId, readable(() => decodeCrossGroupMessage(bytesOf(message))));
  return { decided: decided === undefined ? '0x' : hexOf(encode(decidedC, decided)) };
}

function stageOf({ read }: Groups<SqlLedger>, { payload }: PrepareRequest): Command {
  return commandOf(decodePayload(bytesOf(payload)), read);
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!isPicoloError(error)) throw error;
    throw apiFaults.malformed({ reason: error.code }, error);
  }
}
