import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Domain } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { concatBytes, type Address } from '../../protocol/types/index.ts';
import { signerFaults } from './faults.ts';
import { headerBatch, headerFor, recordBatch, scanGuard, type GuardHeader, type GuardRecord, type GuardScan } from './format.ts';
import { openGuardFile, type GuardFile } from './guard-file.ts';
import { Guard } from './guard.ts';
import { guardedSigner, type GuardedSigner } from './signer.ts';

export interface GuardOptions {
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly domain: Domain;
  /** The caller vouches that this key never signed anything guarded: start a new record if there is none. */
  readonly fresh?: boolean;
  /** The caller vouches that the folder was moved while no node used the key, and not restored. */
  readonly moved?: boolean;
}

export interface SignerOptions extends GuardOptions {
  /** The node's data folder; the caller holds its lock. */
  readonly dir: string;
}

/** What a data folder may hold before its node ever signed. */
const NOT_DATA = /^(?:instance\..*|signer|keys|keystore.*|password|.*\.toml|lost\+found|\..*)$/;

/**
 * Opens the node's hot key behind its guard. Call it before anything else creates data in `dir`: data
 * without a guard means that the record of signatures was lost (consensus §2.14), and then the key is
 * in quarantine. Throws SIGNER_GUARD_MISSING, SIGNER_GUARD_RESTORED, SIGNER_GUARD_FOREIGN,
 * SIGNER_GUARD_DAMAGED, SIGNER_BAD_KEY.
 */
export async function openSigner(options: SignerOptions): Promise<GuardedSigner> {
  const { dir, domain } = options;
  const address = checkedAddress(options.key);
  const fresh = options.fresh ?? !(await holdsData(dir));
  const name = `guard-${address.slice(2)}-${domain.chainId}-${domain.verifyingContract.slice(2, 10)}.log`;
  return openGuardedSigner(await openGuardFile(join(dir, 'signer', name)), { ...options, fresh });
}

/** The same over any guard file. */
export async function openGuardedSigner(file: GuardFile, options: GuardOptions): Promise<GuardedSigner> {
  try {
    return await openOver(file, options);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function openOver(file: GuardFile, options: GuardOptions): Promise<GuardedSigner> {
  const address = checkedAddress(options.key);
  const data = await file.read();
  if (data === undefined) {
    if (options.fresh !== true) throw signerFaults.guardMissing({ signer: address });
    const guard = await rewrite(file, headerFor(address, options.domain, randomBytes(16), 0n), []);
    return guardedSigner(guard, options.key, options.domain, false);
  }
  const scan = scanGuard(data);
  checkOwner(scan.header, address, options.domain);
  return guardedSigner(await resume(file, scan, options.moved === true), options.key, options.domain, scan.torn);
}

async function resume(file: GuardFile, scan: GuardScan, moved: boolean): Promise<Guard> {
  const inode = await file.inode();
  if (inode !== scan.header.inode) {
    if (!moved) throw signerFaults.guardRestored({ signer: scan.header.signer, inode, expected: scan.header.inode });
    return rewrite(file, scan.header, scan.records);
  }
  if (scan.torn) return rewrite(file, scan.header, scan.records);
  return new Guard(file, { header: scan.header, records: scan.records, fileBytes: scan.goodBytes, nextSeq: scan.nextSeq });
}

async function rewrite(file: GuardFile, header: GuardHeader, records: readonly GuardRecord[]): Promise<Guard> {
  let written = header;
  let fileBytes = 0;
  await file.replace((inode) => {
    written = { ...header, inode };
    const data = concatBytes(headerBatch(written), recordBatch(1n, 0, records));
    fileBytes = data.length;
    return data;
  });
  return new Guard(file, { header: written, records, fileBytes, nextSeq: 2n });
}

function checkOwner(header: GuardHeader, address: Address, domain: Domain): void {
  const same = header.signer === address && header.chainId === domain.chainId && header.verifyingContract === domain.verifyingContract;
  if (!same) throw signerFaults.guardForeign({ signer: header.signer, chainId: header.chainId, vault: header.verifyingContract });
}

function checkedAddress(key: Uint8Array): Address {
  try {
    return addressOf(key);
  } catch (error) {
    throw signerFaults.badKey({ bytes: key.length }, error);
  }
}

async function holdsData(dir: string): Promise<boolean> {
  const names = await readdir(dir).catch(() => []);
  return names.some((name) => !NOT_DATA.test(name));
}
