import { posix } from 'node:path';
import { expectNone, files, read } from './tree.ts';

const pages = files(/^(?:docs\/.*|README)\.md$/);
/** Also names rooms of statements that are not built. */
const PLANS = 'docs/spec/paper-map.md';

describe('tidy: links between documents', () => {
  it('lead to something that is in the repository', () => {
    const tracked = files(/./);
    const exists = (target: string): boolean => tracked.some((file) => file === target || file.startsWith(`${target}/`));
    const wrong: string[] = [];
    for (const page of pages) {
      for (const [, link] of read(page).replace(/```[\s\S]*?```/g, '').matchAll(/\]\(([^)\s]+)\)/g)) {
        const [path] = (link as string).split('#');
        if (path === undefined || path === '' || /^[a-z]+:/.test(path)) continue;
        const target = posix.normalize(posix.join(posix.dirname(page), path)).replace(/\/$/, '');
        if (!exists(target)) wrong.push(`${page}: ${link}`);
      }
    }
    expectNone(wrong);
  });

  it('a test, room or contract that a document names in code style exists', () => {
    const tracked = files(/./);
    const wrong: string[] = [];
    for (const page of pages.filter((file) => file !== PLANS)) {
      for (const [, name] of read(page).matchAll(/`((?:test|protocol|node|sdk|cli|contracts|scripts)\/[\w./-]+)`/g)) {
        const target = (name as string).replace(/\/$/, '');
        if (!tracked.some((file) => file === target || file.startsWith(`${target}/`))) wrong.push(`${page}: ${name}`);
      }
    }
    expectNone(wrong);
  });
});
