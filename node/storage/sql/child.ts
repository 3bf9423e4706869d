/**
 * A process of its own for strangers' SELECTs: started by the pool with the file's path, killed when a
 * query runs too long. It holds no key and no environment, and opens the file read-only.
 */
import { isPicoloError } from '../../../protocol/errors/index.ts';
import type { QuestionMessage, ReplyMessage } from './messages.ts';
import { Reader } from './reader.ts';

const reader = new Reader(process.argv[2] as string);

process.on('message', (message) => {
  const { id, job } = message as QuestionMessage;
  send(answer(id, () => reader.run(job)));
});
process.on('disconnect', () => process.exit(0)); // the node is gone
send({ kind: 'ready' });

function send(message: ReplyMessage): void {
  process.send?.(message);
}

function answer(id: number, run: () => ReturnType<Reader['run']>): ReplyMessage {
  try {
    return { kind: 'answer', id, outcome: run() };
  } catch (error) {
    if (isPicoloError(error)) return { kind: 'fault', id, code: error.code, what: error.what, todo: error.todo, facts: error.facts };
    return { kind: 'broken', id, reason: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
