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

/** Where durations go: the node's metrics. */
export interface StorageTimings {
  flushed(durationMs: number): void;
  applied(durationMs: number): void;
  checkpointed(durationMs: number): void;
}

/** Opens `<dataDir>/groups/<group>/`: one ledger, one journal and one anchor per epoch. */
export function openGroupStorage(dataDir: string, group: GroupId, domain: Domain, timings: StorageTimings, historyMs?: number): NodeGroupStorage {
  const dir = join(dataDir, 'groups', group.slice(2, 18));
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const genesis = { epoch: 1n, height: GENESIS.height, blockHash: GENESIS.blockHash, closeTs: GENESIS.closeTs };
  const ledger = openLedger({ path: join(dir, 'ledger.sqlite'), group, domain, genesis, ...(historyMs === undefined ? {} : { historyMs }) });
  const { apply, commitment } = ledger;
  ledger.apply = (block) => timed(timings.applied, () => apply.call(ledger, block));
  ledger.commitment = (height) => timed(timings.checkpointed, () => commitment.call(ledger, height));
  const anchorFile = (epoch: Epoch): string => join(dir, `epoch-${epoch}.anchor`);
  const transferFile = join(dir, 'snapshot.transfer');
  return {
    ledger,
    pool: openSqlPool({ path: ledger.path }),
    openJournal(epoch) {
      const journal = openJournal({ path: join(dir, `epoch-${epoch}.journal`) });
      const { flush } = journal;
      journal.flush = async () => {
        const startedMs = performance.now();
        await flush.call(journal);
        timings.flushed(performance.now() - startedMs);
      };
      return journal;
    },
    loadAnchor: (epoch) => (existsSync(anchorFile(epoch)) ? new Uint8Array(readFileSync(anchorFile(epoch))) : undefined),
    loadTransfer: () => (existsSync(transferFile) ? new Uint8Array(readFileSync(transferFile)) : undefined),
    saveTransfer: (transfer) => writeBytesFile(transferFile, transfer),
    saveAnchor: (epoch, anchor) => writeBytesFile(anchorFile(epoch), anchor),
  };
}

function timed<T>(note: (durationMs: number) => void, action: () => T): T {
  const startedMs = performance.now();
  const value = action();
  note(performance.now() - startedMs);
  return value;
}
