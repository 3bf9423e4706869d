import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { PicoloError } from '../../protocol/errors/index.ts';
import { cliFaults } from '../faults.ts';
import { childEnv, projectRoot } from './processes.ts';

/**
 * Runs a file of the project and gives back the JSON it printed; a coded fault that it printed to stderr is
 * thrown here as it stood there.
 */
export function runJson<T>(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<T> {
  return new Promise((resolve, reject) => {
    const command = ['--disable-warning=ExperimentalWarning', join(projectRoot, file), ...args];
    execFile(process.execPath, command, { cwd: projectRoot, env: { ...childEnv, ...env }, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as T);
      else reject(faultFrom(stderr) ?? cliFaults.childFailed({ file, args: args.slice(0, 3).join(' '), reason: stderr.trim().split('\n').at(-1) }));
    });
  });
}

/** The same for a `picolo` command, as a person would type it. */
export function picolo<T = Record<string, string>>(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<T> {
  return runJson<T>('cli/main.ts', ['--json', ...args], env);
}

function faultFrom(stderr: string): PicoloError | undefined {
  for (const line of stderr.split('\n')) {
    try {
      const { error } = JSON.parse(line) as { error: { code: string; message: string; todo: string; facts: Record<string, string> } };
      return new PicoloError(error.code, error.message, error.todo, error.facts);
    } catch {
      // a line of the log, not the fault
    }
  }
  return undefined;
}
