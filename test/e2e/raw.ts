/** Clients without the SDK: what the network answers to bytes that the SDK would never send, and to command lines. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'chai';
import { childEnv, projectRoot } from '../../cli/devnet/processes.ts';
import { encode, type Domain } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { timestampOf } from '../../protocol/hlc/index.ts';
import {
  buildTransaction, encodeTransaction, footprintOf, put, schemaPath, signTransaction, signedTransactionC, type SignedTransaction,
} from '../../protocol/rows/index.ts';
import type { Schema } from '../../protocol/schema/index.ts';
import { bytesOf, ZERO_HASH, type DatabaseId, type EntryId, type Hex, type Timestamp } from '../../protocol/types/index.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
  readonly text: string;
}

export async function post(url: string, body: string | Uint8Array, type = 'application/json'): Promise<Answer> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': type }, body: body as BodyInit, signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  return { status: response.status, text, body: JSON.parse(text) as Record<string, unknown> };
}

export function postTransaction(api: string, transaction: SignedTransaction | Uint8Array): Promise<Answer> {
  return post(`${api}/v1/tx`, transaction instanceof Uint8Array ? transaction : encode(signedTransactionC, transaction), 'application/cbor');
}

/** A refusal has a code, says what to do, and shows nothing of the inside of the node. */
export function expectRefusal({ status, body, text }: Answer, code: string, statuses: readonly number[] = [400, 402, 404, 413, 415, 422]): Record<string, unknown> {
  const error = body['error'] as Record<string, unknown> | undefined;
  expect(error?.['code'], text.slice(0, 300)).to.equal(code);
  expect(status).to.be.oneOf(statuses);
  expect(String(error?.['message'])).to.have.length.greaterThan(10);
  expect(String(error?.['todo'])).to.have.length.greaterThan(3);
  expectNoInside(text);
  return error?.['facts'] as Record<string, unknown> ?? {};
}

export function expectNoInside(text: string): void {
  expect(text).to.not.match(/\n\s+at |file:\/\/|\.ts:\d|node_modules/);
}

export interface Wanted {
  readonly domain: Domain;
  readonly key: Hex;
  readonly database: DatabaseId;
  readonly schema: Schema;
  readonly schemaVersion: EntryId;
  readonly table: string;
  readonly row: readonly (bigint | string | null)[];
  readonly notAfterMs?: number;
}

/** A signed INSERT of one row, made by hand. */
export function insertion(wanted: Wanted): SignedTransaction {
  const { domain, database, schema, table, row } = wanted;
  const key = bytesOf(wanted.key);
  const mutations = [put(table, [row[0] as bigint], row)];
  const input = { schema, database, writer: addressOf(key), nonce: BigInt(Math.floor(Math.random() * 2 ** 50)), mutations };
  const versionOf = ({ path }: { path: string }): EntryId => (path === schemaPath(database) ? wanted.schemaVersion : ZERO_HASH as EntryId);
  const items = footprintOf({ ...input, before: { versionOf, contentOf: () => undefined } });
  const notAfter = timestampOf(wanted.notAfterMs ?? Date.now() + 20_000, 0, 0);
  return signTransaction(domain, buildTransaction({ ...input, schemaVersion: schema.version, snapshot: 0n as Timestamp, notAfter, items, backpointers: [] }), key);
}

export { encodeTransaction };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `picolo …` (or another file of the project) to its end; killed after `timeoutMs`. */
export function run(args: readonly string[], env: Readonly<Record<string, string>> = {}, file = 'cli/main.ts', timeoutMs = 30_000): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(projectRoot, file), ...args], {
      cwd: projectRoot, env: { ...childEnv, PICOLO_PASSWORD: '', PICOLO_KEY: '', ...env }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    child.once('error', reject);
    child.once('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, stderr });
    });
  });
}

/** The fault that a command printed with `--json`. */
export function faultIn({ stderr }: Ended): { code: string; message: string; todo: string; facts: Record<string, unknown> } {
  const line = stderr.trim().split('\n').find((text) => text.startsWith('{"error"'));
  expect(line, `no fault in: ${stderr.slice(0, 300)}`).to.be.a('string');
  return (JSON.parse(line as string) as { error: { code: string; message: string; todo: string; facts: Record<string, unknown> } }).error;
}
