import { join } from 'node:path';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { openLedger, type SqlLedger } from '../../../node/storage/index.ts';
import { ledgerConformance } from '../../conformance/ledger.ts';
import { domain, genesis, group } from '../../conformance/ledger-world.ts';
import { scratchFolder } from './fixture.ts';

before(() => installNativeCrypto());

ledgerConformance('SQLite file', () => {
  const path = join(scratchFolder(), 'group.sqlite');
  const open = (): SqlLedger => openLedger({ path, group, domain, genesis });
  return {
    open,
    reopen(ledger) {
      ledger.close();
      return open();
    },
  };
});

ledgerConformance('SQLite in memory', () => ({ open: () => openLedger({ path: ':memory:', group, domain, genesis }) }));
