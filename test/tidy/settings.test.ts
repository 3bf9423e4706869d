import { expect } from 'chai';
import { read } from './tree.ts';

describe('tidy: docs/operate/README.md', () => {
  it('lists every setting of picolo.toml once', () => {
    const [, settings = ''] = /## Settings\n([^]*?)\n## /.exec(read('docs/operate/README.md')) ?? [];
    const listed = [...settings.matchAll(/^\| `([a-z]+\.[a-z_]+)` \|/gm)].map((match) => match[1] as string);
    const known = [...read('node/config/config.ts').matchAll(/'((?:node|keys|chain|listen|mx|group|poq)\.[a-z_]+)'/g)].map((match) => match[1] as string);
    expect(listed).to.have.members([...new Set(known)]);
  });
});
