import { existsSync, readFileSync, statSync } from 'node:fs';
import type { Scalar } from '../../protocol/codec/index.ts';
import { defineDictionary, type Dictionary, type Exports } from '../../protocol/dictionary/index.ts';
import { apiFaults } from '../../protocol/query/index.ts';
import { decodeTransaction } from '../../protocol/rows/index.ts';
import type { Address, DatabaseId } from '../../protocol/types/index.ts';
import type { Groups } from '../host/index.ts';
import { createMxService, type MxService } from '../mx/index.ts';
import type { ChainPort, Clock, NodeServices, Signer } from '../ports/index.ts';
import type { SqlLedger } from '../storage/index.ts';
import type { NodeGroupStorage } from './storage.ts';

const DEPOSIT_LEVELS = 15; // AccessDeposits.levelOf is 0..15

/** The provider's dictionary file: which database it exports, and what of it. */
interface DictionaryFile {
  readonly database: DatabaseId;
  readonly exports: Exports;
}

export interface MxParts {
  readonly signer: Signer;
  readonly chain: ChainPort;
  readonly clock: Clock;
  readonly groups: Groups<SqlLedger>;
  readonly services: NodeServices;
  readonly dictionaryFile: string | undefined;
  readonly onTrouble: (what: string, cause: unknown) => void;
}

/** This node's MX: its exported tables answer strangers, its peers are served by their record (Picolo §5.4.1, §6.3.2). */
export function createNodeMx(parts: MxParts): MxService {
  const { signer, chain, clock } = parts;
  const file = dictionaryReader(parts.dictionaryFile, parts.onTrouble);
  return createMxService({
    self: signer.address, signer, clock, random: Math.random, neighbours: [],
    dictionary: () => file()?.dictionary ?? { entities: [] },
    answerLocally: (sql, params) => answerLocally(parts.groups, file()?.database, sql, params),
    applyPut: async (write) => void (await parts.services.submit(decodeTransaction(write), undefined)),
    depositLevel: (account: Address) => chain.accessLevel(account) / DEPOSIT_LEVELS,
    mx: { isNode: (address) => chain.nodeOf(address) !== undefined },
    onNotice: (notice) => {
      if ('cause' in notice) parts.onTrouble(notice.kind, notice.cause);
    },
  });
}

async function answerLocally(
  groups: Groups<SqlLedger>, database: DatabaseId | undefined, sql: string, params: readonly Scalar[],
): Promise<readonly (readonly Scalar[])[]> {
  for (const { storage } of groups.members.values()) {
    if (database === undefined || storage.ledger.metadata(database) === undefined) continue;
    return (await (storage as NodeGroupStorage).pool.query({ database, sql, params })).rows;
  }
  throw apiFaults.unknownDatabase({ database: database ?? 'none exported' });
}

/** Reads the file again when it changed; a broken edit keeps the last good one. */
function dictionaryReader(path: string | undefined, onTrouble: MxParts['onTrouble']): () => { database: DatabaseId; dictionary: Dictionary } | undefined {
  let readAtMs = -1;
  let current: { database: DatabaseId; dictionary: Dictionary } | undefined;
  return () => {
    if (path === undefined || !existsSync(path)) return current; // a provider may write it later
    try {
      const { mtimeMs } = statSync(path);
      if (mtimeMs !== readAtMs) {
        readAtMs = mtimeMs;
        const file = JSON.parse(readFileSync(path, 'utf8')) as DictionaryFile;
        current = { database: file.database, dictionary: defineDictionary(file.exports) };
      }
    } catch (error) {
      onTrouble('dictionary', error);
    }
    return current;
  };
}
