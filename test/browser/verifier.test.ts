import { expect } from 'chai';
import { build, type BuildResult } from 'esbuild';
import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createContext, runInContext } from 'node:vm';
import { chromium } from 'playwright-core';
import { makeVectors } from './vectors.ts';
import { verifyAll, type Vectors } from './verifier.ts';

const EXPECTED = {
  backend: 'noble', kinds: ['present', 'present', 'absent'], lies: ['lie', 'lie', 'absent'], rows: 5, complete: true, agreement: 'agreed',
};

/** CHROMIUM names another browser; Debian's place is the default. */
const browserPath = process.env.CHROMIUM ?? '/usr/bin/chromium';

const forBrowsers = {
  bundle: true, platform: 'browser', target: 'es2024', write: false, metafile: true, logLevel: 'silent',
} as const;

describe('verifier in the browser', function () {
  this.timeout(60_000);
  let vectors: Vectors;
  let bundle: BuildResult<{ metafile: true; write: false }>;
  let script: string;

  before(async () => {
    vectors = await makeVectors();
    const entry = fileURLToPath(new URL('./verifier.ts', import.meta.url));
    bundle = await build({ ...forBrowsers, entryPoints: [entry], format: 'iife', minify: true });
    script = bundle.outputFiles[0]?.text ?? '';
  });

  it('the bundle holds no Node module, and nothing of the node', () => {
    const inputs = Object.keys(bundle.metafile.inputs);
    expect(inputs.filter((file) => file.startsWith('node:') || /(?:^|\/)node\/(?:api|storage|host|crypto|ports)\//.test(file))).to.deep.equal([]);
    const imports = Object.values(bundle.metafile.inputs).flatMap(({ imports: list }) => list.map(({ path }) => path));
    expect(imports.filter((path) => path.startsWith('node:') || path === 'better-sqlite3')).to.deep.equal([]);
  });

  it('the whole SDK bundles for browsers as well', async () => {
    const entry = fileURLToPath(new URL('../../sdk/index.ts', import.meta.url));
    const sdk = await build({ ...forBrowsers, entryPoints: [entry], format: 'esm' });
    const outside = Object.values(sdk.metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external === true).map(({ path }) => path));
    expect(outside).to.deep.equal([]);
    expect(Object.keys(sdk.metafile.inputs).filter((file) => /(?:^|\/)node\/|^node:|ethers/.test(file.replace(/.*node_modules\//, '')))).to.deep.equal([]);
  });

  it('Node itself agrees with what is expected', () => {
    expect(verifyAll(vectors)).to.deep.include(EXPECTED);
    expect(verifyAll(vectors).writers).to.deep.equal([...Array<string>(2).fill(String((verifyAll(vectors).writers as string[])[0])), null]);
  });

  it('runs in a bare JavaScript context, without any of the platform but text encoding', () => {
    const context = createContext({ TextEncoder, TextDecoder });
    runInContext(script, context);
    const result = runInContext(`JSON.stringify(verifyAll(JSON.parse(${JSON.stringify(JSON.stringify(vectors))})))`, context) as string;
    expect(JSON.parse(result)).to.deep.include(EXPECTED);
  });

  it('runs in Chromium with the same result', async function () {
    if (!existsSync(browserPath)) {
      process.stdout.write(`      no browser at ${browserPath}: set CHROMIUM to the path of one\n`);
      this.skip();
    }
    const server = await serve(script, vectors);
    const browser = await chromium.launch({ executablePath: browserPath, args: ['--no-sandbox', '--disable-gpu'] });
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const result = await page.evaluate('fetch("/vectors.json").then((reply) => reply.json()).then((vectors) => verifyAll(vectors))');
      expect(result).to.deep.include(EXPECTED);
    } finally {
      await browser.close();
      await new Promise((done) => server.close(done));
    }
  });
});

function serve(script: string, vectors: Vectors): Promise<Server> {
  const pages: Record<string, [string, string]> = {
    '/': ['text/html', '<!doctype html><script src="/verifier.js"></script>'],
    '/verifier.js': ['text/javascript', script],
    '/vectors.json': ['application/json', JSON.stringify(vectors)],
  };
  const server = createServer((request, reply) => {
    const [type, body] = pages[request.url ?? ''] ?? ['text/plain', ''];
    reply.setHeader('content-type', type).end(body);
  });
  return new Promise((ready) => server.listen(0, '127.0.0.1', () => ready(server)));
}
