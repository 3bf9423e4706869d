/**
 * Applies blocks until it is killed: journal first, then the ledger, as a node does. Prints every
 * height it has reached. Usage: crash-child.ts <folder>
 */
import { join } from 'node:path';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { lockFolder, openJournal, openLedger } from '../../../node/storage/index.ts';
import type { AppliedBlock } from '../../../node/ports/index.ts';
import { domain, genesis, group, World } from '../../conformance/ledger-world.ts';

const certificate = new Uint8Array([1]);

/** Block `height` of the one history that all crash tests share. */
export function nextBlock(world: World): AppliedBlock {
  const h = Number(world.height) + 1;
  if (h === 1) return world.block([world.create(['CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE)'], 10)], 10);
  const made = [0, 1, 2].map((i) => world.put('item', { id: (h * 3 + i) % 50, name: `${(h * 3 + i) % 50}` }, 10 * h + i));
  return world.block(made, 10 * h + 1);
}

async function run(folder: string): Promise<void> {
  await installNativeCrypto();
  lockFolder(folder);
  const journal = openJournal({ path: join(folder, 'journal') });
  const ledger = openLedger({ path: join(folder, 'group.sqlite'), group, domain, genesis });
  const world = new World();
  const replayed = new Map(journal.recover().records.map((record) => [Number(new TextDecoder().decode(record).slice(6)), true]));
  for (;;) {
    const block = nextBlock(world);
    if (block.height <= ledger.position().height) continue;
    if (!replayed.has(Number(block.height))) {
      journal.append(block.encoded);
      await journal.flush();
    }
    ledger.apply(block);
    if (block.height % 3n === 0n) ledger.commitment(block.height);
    if (block.height % 9n === 0n) ledger.certify(block.height, certificate);
    process.stdout.write(`${block.height}\n`);
  }
}

if (process.argv[2] !== undefined && process.argv[1]?.endsWith('crash-child.ts')) await run(process.argv[2]);
