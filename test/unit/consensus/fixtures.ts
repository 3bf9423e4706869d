import {
  GENESIS, createReplica, groupConfig, known, step, type Application, type Effect, type GroupConfig, type Input, type KnownEntry,
  type Replica,
} from '../../../protocol/consensus/index.ts';
import { NOTHING_SIGNED } from '../../../protocol/consensus/position.ts';
import { sha256Hex } from '../../../protocol/crypto/index.ts';
import { MAX_TIMESTAMP } from '../../../protocol/hlc/index.ts';
import {
  ZERO_ADDRESS, ZERO_HASH, type Address, type Command, type EntryId, type GroupId, type Item, type KeyVersion, type Path, type Timestamp, type TxId,
} from '../../../protocol/types/index.ts';

export const hash = (text: string): Item['path'] => sha256Hex(new TextEncoder().encode(text)) as Item['path'];
export const ts = (value: number): Timestamp => BigInt(value) as Timestamp;
export const NOTHING = ZERO_HASH as EntryId;

/** A command with its nonce item; `items` as [key, version, mode]. */
export function command(name: string, items: readonly (readonly [string, EntryId, 'R' | 'W'])[], options: { nonce?: string; notAfter?: Timestamp } = {}): Command {
  const noncePath = hash(`nonce ${options.nonce ?? name}`) as Path;
  const all: Item[] = [...items.map(([key, version, mode]) => ({ path: hash(key) as Path, version, mode })), { path: noncePath, version: NOTHING, mode: 'W' }];
  return {
    id: hash(`tx ${name}`) as unknown as TxId, client: ZERO_ADDRESS, notAfter: options.notAfter ?? MAX_TIMESTAMP, footprintRoot: hash(`items ${name}`),
    items: all.sort((a, b) => (a.path < b.path ? -1 : 1)), noncePath, classicOnly: false, bytes: new TextEncoder().encode(name),
  };
}

export const entry = (of: Command, at: number): KnownEntry => known({ command: of, ts: ts(at) });

export interface FakeState {
  readonly keys: Map<Path, KeyVersion>;
  readonly invalid: Set<string>;
  readonly removed: Set<Path>;
}

export function fakeState(): FakeState & Application {
  const state: FakeState = { keys: new Map(), invalid: new Set(), removed: new Set() };
  return {
    ...state,
    versionOf: (path) => state.keys.get(path),
    check: ({ id }) => (state.invalid.has(id) ? 'invalid' : 'valid'),
    removes: ({ items }) => items.map(({ path }) => path).filter((path) => state.removed.has(path)),
    commandOf: (bytes) => command(new TextDecoder().decode(bytes), []),
    blockAt: () => undefined,
  };
}

export const roster = ['01', '02', '03', '04'].map((digits) => `0x${digits.padStart(40, '0')}` as Address);

export const config: GroupConfig = groupConfig({
  domain: { chainId: 1n, verifyingContract: ZERO_ADDRESS }, group: hash('group') as unknown as GroupId, epoch: 1n, roster, anchor: GENESIS,
});

export function replica(application: Application = fakeState(), self = 0): Replica {
  return createReplica(config, self, undefined, application);
}

/** Steps and answers every flush at once. */
export function run(of: Replica, input: Input): Effect[] {
  const effects = step(of, input);
  for (const effect of effects.slice()) {
    if (effect.kind === 'persist') effects.push(...run(of, { kind: 'flushed', nowMs: input.nowMs, token: effect.token }));
  }
  return effects;
}

/** Peers answer that they hold nothing signed by this replica: from here on it signs. */
export function nobodyRemembers(of: Replica, nowMs: number): Effect[] {
  return [1, 2, 3].map((i) => (of.self + i) % 4).flatMap((from) => run(of, {
    kind: 'message', nowMs, from, message: { kind: 'recalled', subject: of.self, blockVote: null, fastAck: null, viewChange: null, heard: NOTHING_SIGNED },
  }));
}
