/**
 * `picolo`: one file per command under `commands/`; each parses, calls, prints. Exit codes: 0 done,
 * 1 a coded fault, 2 wrong usage, 70 a bug.
 */
import { CommanderError } from 'commander';
import { installNativeCrypto } from '../node/crypto/index.ts';
import { EXIT, reportFailure } from './faults.ts';
import { createProgram } from './program.ts';

const program = createProgram();
await installNativeCrypto();
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : EXIT.usage;
  else process.exitCode = reportFailure(error, program.opts<{ json?: boolean }>().json === true);
}
