import type { Message } from '../../../protocol/consensus/index.ts';
import type { Command } from '../../../protocol/types/index.ts';

type Change = (command: Command) => Command;

/** The same message with its commands in other forms: everything that is signed or hashed stays. */
export function reformed(message: Message, change: Change): Message {
  switch (message.kind) {
    case 'fastBatch': case 'certificate': case 'reject': case 'viewChange': return { ...message, entries: each(message.entries, change) };
    case 'proposal': return { ...message, block: { ...message.block, entries: each(message.block.entries, change) } };
    case 'submit': return { ...message, command: change(message.command) };
    case 'blocks': return {
      ...message, blocks: message.blocks.map((certified) => ({ ...certified, block: { ...certified.block, entries: each(certified.block.entries, change) } })),
    };
    default: return message;
  }
}

function each<E extends { readonly command: Command }>(entries: readonly E[], change: Change): readonly E[] {
  return entries.map((entry) => ({ ...entry, command: change(entry.command) }));
}
