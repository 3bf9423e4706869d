/**
 * The node's hot key and the guard that keeps it honest (consensus §2.14, §3.3). Every statement that
 * could contradict another one names a slot; the slot's digest and signature are on disk before the
 * signature leaves, and a second, different statement for the slot is refused without using the key.
 * A node that lost its guard, or came back with an old copy of it, cannot sign at all.
 *
 * @example
 *   const key = await loadKeystore({ path, password: await readPassword({ file }) });
 *   const signer = await openSigner({ dir, key, domain });
 *   const signature = await signer.signAt({ kind: 'BlockVote', slot: `${group}/${epoch}/${view}/${round}` }, 'BlockVote', vote);
 */
export { openGuardedSigner, openSigner, type GuardOptions, type SignerOptions } from './open.ts';
export type { GuardedSigner } from './signer.ts';
export type { GuardFile } from './guard-file.ts';
export { createKeystore, loadKeystore, randomKey, readPassword, type KeystoreOptions } from './keystore.ts';
export { signerFaults } from './faults.ts';
