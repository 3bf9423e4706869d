import { cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
/** What the tests of the contracts look at. */
const PARTS = ['contracts', 'protocol', 'node', 'sdk', 'test', 'scripts', 'docs', 'hardhat.config.ts', 'package.json', 'tsconfig.json'];

/** A copy of the repository for work that changes sources or compiles them otherwise; goes when the process ends. */
export function copyOfRepository(purpose: string, ...more: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), `picolo-${purpose}-`));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const part of [...PARTS, ...more]) cpSync(join(root, part), join(folder, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return folder;
}
