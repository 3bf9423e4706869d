import { createHash } from 'node:crypto';
import { ZERO_HASH, type Address, type Command, type EntryId, type Hash32, type Item, type Path, type Timestamp, type TxId } from '../../protocol/types/index.ts';

/** What a test command does; its bytes are this as JSON. */
export interface TestCommand {
  readonly client: string;
  readonly nonce: number;
  /** Tells two commands with one nonce apart (an equivocating client). */
  readonly salt: number;
  readonly items: readonly (readonly [path: string, version: string, mode: 'R' | 'W'])[];
  readonly removes: readonly string[];
  /** New contents of W items that replace; what is not named appends the command's token. */
  readonly sets: Readonly<Record<string, string>>;
  /** A row with a unique value: the first item is the row, the second the index. */
  readonly unique: string | null;
  /** A body that breaks a constraint: must abort wherever it runs. */
  readonly invalid: boolean;
  /** A key that the body writes and the footprint does not name: as bad as a broken constraint. */
  readonly hidden: string | null;
  readonly classicOnly: boolean;
  readonly notAfter: string;
  /** How the client vouches: its own signature unless said. Not part of what is named: one command comes in several forms. */
  readonly signature?: SignatureForm;
}

export type SignatureForm = 'own' | 'shared' | 'forged';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const cache = new Map<string, Command>();
const bodies = new WeakMap<Command, TestCommand>();
const forged = new WeakSet<Command>();

export function hashOf(text: string): Hash32 {
  return `0x${createHash('sha256').update(text).digest('hex')}` as Hash32;
}

const paths = new Map<string, Path>();
const names = new Map<string, string>();

/** The path of a named key; keys of one kind share the first letter of their names. */
export function pathOf(name: string): Path {
  let path = paths.get(name);
  if (path === undefined) {
    path = hashOf(`path ${name}`) as Path;
    paths.set(name, path);
    names.set(path, name);
  }
  return path;
}

/** Undefined for the keys of nonces. */
export function nameOf(path: string): string | undefined {
  return names.get(path);
}

export function noncePathOf(client: string, nonce: number): Path {
  return hashOf(`nonce ${client} ${nonce}`) as Path;
}

export function encodeCommand(test: TestCommand): Command {
  return readCommand(encoder.encode(JSON.stringify(test)));
}

export function bodyOf(command: Command): TestCommand {
  let body = bodies.get(command);
  if (body === undefined) bodies.set(command, (body = JSON.parse(decoder.decode(command.bytes)) as TestCommand));
  return body;
}

/** The same command in another form, as whoever passes it on can choose; a forgery stays one. */
export function inForm(command: Command, signature: SignatureForm): Command {
  if (!isSigned(command)) return command;
  return encodeCommand({ ...bodyOf(command), signature });
}

/** The client's signature holds, whichever it is. */
export function isSigned(command: Command): boolean {
  return !forged.has(command);
}

/** What an appending command leaves behind: its own mark. */
export function tokenOf(command: Command): string {
  return command.id.slice(2, 14);
}

/** The reader of consensus: the same bytes give the same command. */
export function readCommand(bytes: Uint8Array): Command {
  const text = decoder.decode(bytes);
  let command = cache.get(text);
  if (command === undefined) {
    command = parse(text, bytes);
    if (cache.size > 20_000) cache.clear();
    cache.set(text, command);
  }
  return command;
}

function parse(text: string, bytes: Uint8Array): Command {
  const { signature, ...test } = JSON.parse(text) as TestCommand;
  const nonce = noncePathOf(test.client, test.nonce);
  const named = test.items.map(([path, version, mode]): Item => ({ path: path as Path, version: version as EntryId, mode }));
  const items = [...named, { path: nonce, version: ZERO_HASH as EntryId, mode: 'W' as const }].sort((a, b) => (a.path < b.path ? -1 : 1));
  const command = {
    id: hashOf(JSON.stringify(test)) as TxId, client: hashOf(test.client).slice(0, 42) as Address, notAfter: BigInt(test.notAfter) as Timestamp,
    footprintRoot: hashOf(JSON.stringify(items)), items, noncePath: nonce, classicOnly: test.classicOnly, bytes,
  };
  if (signature === 'forged') forged.add(command);
  return command;
}
