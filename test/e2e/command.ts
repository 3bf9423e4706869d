import { createProgram } from '../../cli/program.ts';

/**
 * `picolo … --json` inside this process: what it printed, as a value; its fault is thrown. Commands that a test calls by the dozen need no
 * process each; exit codes and streams are the business of cli.test.ts.
 */
export async function command<T>(args: readonly string[]): Promise<T> {
  const printed: string[] = [];
  const write = process.stdout.write;
  process.stdout.write = ((text: string | Uint8Array) => printed.push(String(text)) > 0) as typeof write;
  try {
    await createProgram().parseAsync(['--json', ...args], { from: 'user' });
  } finally {
    process.stdout.write = write;
  }
  return JSON.parse(printed.join('')) as T;
}
