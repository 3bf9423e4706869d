import { defineFaults, isPicoloError } from '../protocol/errors/index.ts';
import { jsonValue } from './output.ts';

export const cliFaults = defineFaults('CLI', {
  badOption: ['an option has a value of the wrong form', 'see the command with --help'],
  missingConfig: ['there is no picolo.toml in that folder', 'make one with: picolo provider init --dir DIR'],
  exists: ['the folder already holds a provider', 'choose another folder, or keep using this one'],
  noDeployment: ['no deployment is known for this chain', 'start a local network with: picolo dev'],
  noCluster: ['the owner has no such cluster', 'create one with: picolo cluster create'],
  notEnoughOffers: ['too few providers offered capacity', 'lower the replication factor or wait for more providers'],
  childFailed: ['a process of the local network ended early', 'read its log file, then start again'],
  noPort: ['no ports in a row are free on this machine', 'end what listens there, or name ports with --chain-port and --api-port'],
  badPassword: ['the key file could not be opened with this password', 'set PICOLO_PASSWORD or use --password-file'],
  noNetwork: ['no node answers at that address', 'check the URL, or start a local network with: picolo dev'],
});

/** Exit codes: 0 done, 1 a coded fault, 2 wrong usage (an option that is unknown, missing or of a wrong form), 70 a bug. */
export const EXIT = { fault: 1, usage: 2, bug: 70 } as const;

/** Prints a failure without a stack and returns the exit code. */
export function reportFailure(error: unknown, json: boolean): number {
  if (isPicoloError(error)) {
    if (json) process.stderr.write(`${JSON.stringify({ error: error.toJSON() }, jsonValue)}\n`);
    else process.stderr.write(`${error.message}\n`);
    return error.code === 'CLI_BAD_OPTION' ? EXIT.usage : EXIT.fault;
  }
  const message = error instanceof Error ? error.message : String(error);
  const detail = process.env['PICOLO_DEBUG'] && error instanceof Error ? `\n${error.stack}` : '; set PICOLO_DEBUG=1 for details';
  process.stderr.write(`CLI_UNEXPECTED: ${message}${detail}\n`);
  return EXIT.bug;
}
