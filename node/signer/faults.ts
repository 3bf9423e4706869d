import { defineFaults } from '../../protocol/errors/index.ts';

export const signerFaults = defineFaults('SIGNER', {
  wouldContradict: ['this slot already holds another signature', 'nothing: the second statement would be slashable'],
  belowWatermark: ['this slot is older than what the guard remembers', 'nothing: what was signed there is forgotten and stays closed'],
  needsPosition: ['statements of this kind can contradict each other', 'sign them with their position (signAt)'],
  guardMissing: [
    'this folder holds data but not the record of what its key has signed',
    'rejoin with a new key; if the folder was never used with this key, start with "fresh"',
  ],
  guardRestored: [
    'the record of signatures is a copy of an older one (backup, clone or move)',
    'rejoin with a new key; only if the folder was moved while the node stood still, start with "moved"',
  ],
  guardForeign: ['the record of signatures belongs to another key or network', 'use one data folder per key and network'],
  guardDamaged: ['the record of signatures is damaged in the middle', 'check the disk and rejoin with a new key'],
  guardFailed: ['the record of signatures cannot be written', 'free or replace the disk and restart the node'],
  guardFull: ['the guard remembers more slots than it may', 'let the node forget slots below its checkpoint'],
  closed: ['the signer is closed', 'nothing: the node is stopping'],
  badKeystore: ['the keystore cannot be opened', 'check the file and the password'],
  noPassword: ['no password for the keystore', 'set the password variable or name a password file'],
  badKey: ['not a secp256k1 private key of 32 bytes', 'make one with "picolo provider init"'],
});
