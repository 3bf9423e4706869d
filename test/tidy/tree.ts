import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Tracked files and new ones that are not ignored, as posix paths from the root. */
export function files(pattern: RegExp): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return listed.split('\n').filter((file) => file !== '' && pattern.test(file) && exists(file));
}

export function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** Source text without comments and string contents is not needed often; imports are. */
export function importsOf(file: string): string[] {
  const forms = [
    /^\s*(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]/gm,
    /^\s*import\s+['"]([^'"]+)['"]/gm,
    /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  ];
  const source = read(file);
  return forms.flatMap((form) => [...source.matchAll(form)].map((match) => match[1] as string));
}

/** A relative import as a path from the root; undefined for packages and node: modules. */
export function resolveImport(from: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), specifier)) : undefined;
}

/** Comments blanked out, so that prose about `Math.random` is not a use of it. */
export function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, (text) => text.replace(/[^\n]/g, ' ')).replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}

function exists(file: string): boolean {
  try {
    readFileSync(join(root, file));
    return true;
  } catch {
    return false;
  }
}

/** Fails with the whole list, one per line. */
export function expectNone(list: readonly string[]): void {
  if (list.length > 0) throw new Error(`${list.length} found:\n  ${list.join('\n  ')}`);
}
