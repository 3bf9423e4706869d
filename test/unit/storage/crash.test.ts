import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { lockFolder, openJournal, openLedger } from '../../../node/storage/index.ts';
import { domain, genesis, group, World } from '../../conformance/ledger-world.ts';
import { nextBlock } from './crash-child.ts';
import { scratchFolder } from './fixture.ts';

const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));

/** Runs the child until it has printed `lines` heights, then kills it; resolves with the last height printed. */
function runAndKill(folder: string, lines: number): Promise<bigint> {
  const child = spawn(process.execPath, [script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
    if (text.split('\n').length > lines) child.kill('SIGKILL');
  });
  return new Promise((resolve, reject) => {
    child.on('exit', (_code, signal) => {
      const heights = text.split('\n').slice(0, -1);
      if (signal === 'SIGKILL') resolve(BigInt(heights.at(-1) ?? '0'));
      else reject(new Error(`the child ended by itself after ${heights.length} blocks`));
    });
  });
}

describe('killed while applying blocks', () => {
  before(() => installNativeCrypto());

  it('reopens at a block, with its rows, its root and its journal, again and again', async () => {
    const folder = scratchFolder();
    for (const lines of [2, 17, 5, 23]) {
      const printed = await runAndKill(folder, lines);
      const lock = lockFolder(folder); // the dead process holds nothing
      const ledger = openLedger({ path: join(folder, 'group.sqlite'), group, domain, genesis });
      const { height } = ledger.position();
      expect(height >= printed, `${height} >= ${printed}`).to.equal(true);
      const { records, torn } = openJournal({ path: join(folder, 'journal') }).recover();
      expect(torn).to.equal(false);
      expect(records.length).to.be.at.least(Number(height));
      const world = new World();
      while (world.height < height) nextBlock(world);
      for (const [path, { by }] of world.keys) expect(ledger.versionOf(path)?.version).to.equal(by.entryId);
      expect(ledger.commitment(height)).to.deep.equal(world.commitment(Number(ledger.position().closeTs >> 48n)));
      ledger.close();
      lock.release();
    }
  }).timeout(20_000);
});
