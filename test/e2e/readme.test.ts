import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { freePort, projectRoot, startProcess, waitFor, type RunningProcess } from '../../cli/devnet/processes.ts';
import { loadNetworkFile } from '../../cli/devnet/network-file.ts';

/** The program of the README, word for word but for where the network's file is. */
function programIn(readme: string, networkFile: string): string {
  const [, program] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
  expect(program, 'README has a program').to.be.a('string');
  expect(program).to.include('.picolo/dev/network.json');
  return (program as string).replace('.picolo/dev/network.json', networkFile);
}

describe('README', () => {
  const dir = mkdtempSync(join(tmpdir(), 'picolo-readme-'));
  const script = join(projectRoot, `.picolo-readme-${process.pid}.ts`); // 'picolo/sdk' resolves inside the package
  let dev: RunningProcess;

  before(async () => {
    const [chainPort, apiPort] = [await freePort(), await freePort(4)];
    dev = startProcess({
      name: 'dev', logDir: join(dir, 'logs'), file: 'cli/main.ts',
      args: ['dev', '--dir', join(dir, 'dev'), '--chain-port', String(chainPort), '--api-port', String(apiPort)],
    });
    await waitFor('the local network', dev, async () => loadNetworkFile(join(dir, 'dev')), 120_000);
  });

  after(async () => {
    await dev.stop(15_000);
    rmSync(dir, { recursive: true, force: true });
    rmSync(script, { force: true });
  });

  it('P-3.2-role-consumer: the first program runs as it is printed', async () => {
    writeFileSync(script, programIn(readFileSync(join(projectRoot, 'README.md'), 'utf8'), join(dir, 'dev', 'network.json')));
    const output = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, [script], { cwd: projectRoot, timeout: 60_000 }, (error, stdout, stderr) => (error ? reject(new Error(stderr)) : resolve(stdout)));
    });
    expect(output).to.match(/verified/);
    expect(output).to.match(/0x[0-9a-f]{64}/);
  });
});
