import { expectNone, files, importsOf, read, resolveImport } from './tree.ts';

const all = files(/^(?:protocol|node|sdk|cli|scripts|contracts|bench|test|hardhat\.config)[^]*\.(?:ts|js|cjs)$/);

/** Entry points: what people and runners start; everything else must be reachable from one. */
function isEntry(file: string): boolean {
  if (/\.test\.ts$|^hardhat\.config\.ts$|^scripts\/[^/]+\.(?:ts|js|cjs)$|^bench\/[^/]+\.ts$|^cli\/(?:main\.ts|bin\.js)$/.test(file)) return true;
  if (/^test\/byzantine\/[^/]+-node\.ts$/.test(file)) return true;
  return /^(?:sdk|protocol)\/index\.ts$|^node\/main\.ts$/.test(file);
}

describe('tidy: dead files', () => {
  it('every file is reachable from an entry point', () => {
    const reached = new Set<string>();
    const queue = all.filter(isEntry);
    while (queue.length > 0) {
      const file = queue.pop() as string;
      if (reached.has(file)) continue;
      reached.add(file);
      const spawned = [...read(file).matchAll(/['"](\.{1,2}\/[\w./-]+\.(?:ts|js|cjs))['"]/g)].map((match) => match[1] as string);
      for (const specifier of [...importsOf(file), ...spawned]) {
        const target = resolveImport(file, specifier);
        if (target !== undefined && all.includes(target)) queue.push(target);
      }
    }
    expectNone(all.filter((file) => !reached.has(file)));
  });
});
