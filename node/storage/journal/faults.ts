import { defineFaults, isPicoloError, type PicoloError } from '../../../protocol/errors/index.ts';

export const journalFaults = defineFaults('JOURNAL', {
  diskFull: ['the disk that holds the journal is full', 'free space and restart the node; it signs nothing until then'],
  flushFailed: [
    'the disk refused a flush, so what it holds is unknown',
    'check the disk, then restart the node; a flush is never tried twice because the kernel may have dropped the pages',
  ],
  unreadable: ['the journal exists but cannot be read', 'check permissions and the disk; do not delete the file'],
  closed: ['the journal is closed', 'open it again'],
  recordTooLarge: ['a journal record is longer than the limit', 'split it'],
  overloaded: ['more records are queued than the disk can take', 'slow down until a flush resolves'],
});

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Sorts an operating-system error into the two faults that a journal dies from. */
export function diskFault(error: unknown, path: string): PicoloError {
  if (isPicoloError(error)) return error;
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? 'unknown';
  return FULL.has(code) ? journalFaults.diskFull({ path, code }, error) : journalFaults.flushFailed({ path, code }, error);
}
