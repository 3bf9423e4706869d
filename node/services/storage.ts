import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Domain } from '../../protocol/codec/index.ts';
import { GENESIS } from '../../protocol/consensus/index.ts';
import type { Epoch, GroupId } from '../../protocol/types/index.ts';
import type { GroupStorage } from '../host/index.ts';
import { openJournal, openLedger, openSqlPool, type SqlLedger, type SqlPool } from '../storage/index.ts';
import { writeBytesFile } from './state-file.ts';

export interface NodeGroupStorage extends GroupStorage<SqlLedger> {
  readonly pool: SqlPool;
}

/** Opens `<dataDir>/groups/<group>/`: one ledger, one journal and one anchor per epoch. */
export function openGroupStorage(dataDir: string, group: GroupId, domain: Domain): NodeGroupStorage {
  const dir = join(dataDir, 'groups', group.slice(2, 18));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const genesis = { epoch: 1n, height: GENESIS.height, blockHash: GENESIS.blockHash, closeTs: GENESIS.closeTs };
  const ledger = openLedger({ path: join(dir, 'ledger.sqlite'), group, domain, genesis });
  const anchorFile = (epoch: Epoch): string => join(dir, `epoch-${epoch}.anchor`);
  return {
    ledger,
    pool: openSqlPool({ path: ledger.path }),
    openJournal: (epoch) => openJournal({ path: join(dir, `epoch-${epoch}.journal`) }),
    loadAnchor: (epoch) => (existsSync(anchorFile(epoch)) ? new Uint8Array(readFileSync(anchorFile(epoch))) : undefined),
    saveAnchor: (epoch, anchor) => writeBytesFile(anchorFile(epoch), anchor),
  };
}
