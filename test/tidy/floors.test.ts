import { expectNone, files, importsOf, read, resolveImport, withoutComments } from './tree.ts';
import { neighbourly, roomOf } from './floors.ts';

const sources = files(/^(protocol|node|sdk|cli|scripts|contracts)\/.*\.ts$/);

describe('tidy: floors', () => {
  it('every source file stands in a room', () => {
    expectNone(sources.filter((file) => roomOf(file) === undefined));
  });

  it('arrows point down, siblings do not meet', () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const here = roomOf(file);
      if (here === undefined) continue;
      for (const specifier of importsOf(file)) {
        const target = resolveImport(file, specifier);
        const there = target === undefined ? undefined : roomOf(target);
        if (there === undefined || there.folder === here.folder) continue;
        const up = there.floor > here.floor;
        const sibling = there.floor === here.floor && !neighbourly(here.floor);
        if (up || sibling) wrong.push(`${file} -> ${target} (${up ? 'up' : 'sibling'})`);
      }
    }
    expectNone(wrong);
  });

  it('the host knows ports and protocol, never an adapter; only compositions construct adapters', () => {
    const wrong: string[] = [];
    for (const file of sources.filter((f) => f.startsWith('node/host/'))) {
      for (const specifier of importsOf(file)) {
        const target = resolveImport(file, specifier);
        if (target?.startsWith('node/') && !/^node\/(host|ports)\//.test(target)) wrong.push(`${file} -> ${target}`);
      }
    }
    expectNone(wrong);
  });

  it("a folder's index.ts is its only door", () => {
    const wrong: string[] = [];
    for (const file of sources) {
      const here = roomOf(file);
      for (const specifier of importsOf(file)) {
        const target = resolveImport(file, specifier);
        const there = target === undefined ? undefined : roomOf(target);
        if (!target || !there || !here || there.folder === here.folder) continue;
        if (!/^(protocol|node|sdk)\//.test(target)) continue;
        const deep = target.slice(there.folder.length + 1);
        if (there.folder !== 'node' && deep !== '' && deep !== 'index.ts') wrong.push(`${file} -> ${target}`);
      }
    }
    expectNone(wrong);
  });

  it('sdk and browser code never reach into the node', () => {
    const wrong = files(/^sdk\/.*\.ts$/).flatMap((file) =>
      importsOf(file)
        .map((specifier) => resolveImport(file, specifier))
        .filter((target) => target?.startsWith('node/'))
        .map((target) => `${file} -> ${target}`),
    );
    expectNone(wrong);
  });

  it('protocol/ is pure: no node modules, clock, randomness, timers, promises or console', () => {
    const banned = new RegExp([
      'Date\\b', 'Math\\.random', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'process\\.', 'console\\.', 'performance\\.',
      'crypto\\.(?:randomUUID|getRandomValues)', 'async\\b', 'await\\b', 'new Promise', 'fetch\\(',
    ].map((word) => `\\b${word}`).join('|'));
    const wrong: string[] = [];
    for (const file of files(/^protocol\/.*\.ts$/)) {
      for (const specifier of importsOf(file)) if (specifier.startsWith('node:')) wrong.push(`${file} imports ${specifier}`);
      withoutComments(read(file)).split('\n').forEach((text, i) => {
        const bare = text.replace(/'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`/g, "''");
        if (banned.test(bare)) wrong.push(`${file}:${i + 1} ${text.trim()}`);
      });
    }
    expectNone(wrong);
  });
});
