import type { Effect, Message } from '../../protocol/consensus/index.ts';

/** An effect on one line. */
export function describe(effect: Effect): string {
  switch (effect.kind) {
    case 'send': return `send ${effect.to} ${effect.message.kind} ${brief(effect.message)}`;
    case 'sign': return `sign ${effect.to} ${effect.name} ${effect.slot.slice(67)} ${brief(effect.message)}`;
    case 'persist': return `persist ${effect.record.kind}`;
    case 'commit': {
      const { height, blockHash, entries } = effect.block;
      return `commit ${height} ${blockHash.slice(2, 10)} ${entries.map(({ id, outcome }) => `${id.slice(2, 8)}:${outcome}`).join()}`;
    }
    case 'milestone': return `milestone ${JSON.stringify(effect.milestone, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}`;
    case 'reply': {
      const { reply } = effect;
      const told = reply.kind === 'receipt' ? `${reply.receipt.kind} ${reply.receipt.entry.slice(2, 8)}` : reply.reason;
      return `reply ${effect.command.slice(2, 8)} ${told}`;
    }
    case 'alarm': return `alarm ${effect.delayMs}`;
    case 'evidence': return `evidence ${effect.offence.kind} ${effect.offence.culprit}`;
    default: return effect.kind;
  }
}

function brief(message: Message | (Effect & { kind: 'sign' })['message']): string {
  switch (message.kind) {
    case 'proposal': {
      const { value: { view, round, blockHash }, block: { header, entries } } = message;
      const ids = entries.map(({ id, certView }) => `${id.slice(2, 8)}${certView === null ? '' : '*'}`);
      return `${view}/${round} ${header.kind} ${blockHash.slice(2, 10)} ${ids.join()}`;
    }
    case 'blockVote': return `${message.value.view}/${message.value.round} ${message.value.blockHash.slice(2, 10)}`;
    case 'fastBatch': return message.entries.map(({ id, command }) => `${id.slice(2, 8)}=${command.id.slice(2, 8)}`).join();
    case 'fastVote': return `${message.value.batchRoot.slice(2, 8)} ${message.value.accept.toString(2)}`;
    case 'fastAck': return `${message.value.batchRoot.slice(2, 8)} ${message.value.acked.toString(2)}`;
    case 'reject': return `${message.view}/${message.round} ${message.reason}`;
    default: return '';
  }
}
