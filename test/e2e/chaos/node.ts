/** The product as it is; only a file-size limit that a test sets meets it as an error of the write, as a full disk does, and not as a signal. */
import { parseArgs } from 'node:util';
import { providerPassword } from '../../../cli/options.ts';
import { startNode } from '../../../node/main.ts';

process.on('SIGXFSZ', () => undefined);
const { values: { dir = '.' } } = parseArgs({ options: { dir: { type: 'string' } } });
const node = await startNode({ dir, password: await providerPassword(dir, undefined) });
await node.ended;
