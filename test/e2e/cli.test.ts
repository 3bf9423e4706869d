import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Command } from 'commander';
import { createProgram } from '../../cli/program.ts';
import type { NetworkFile } from '../../cli/devnet/network-file.ts';
import { childEnv, freePort, projectRoot } from '../../cli/devnet/processes.ts';
import { expectNoInside, faultIn, run } from './raw.ts';
import { eventually } from './world.ts';

const PROVIDERS = 4;

describe('e2e: the command line', () => {
  let dir: string;
  let dev: ChildProcess;
  let output = '';
  let network: NetworkFile;
  const seen = new Set<number>();

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'picolo-e2e-cli-'));
    dev = await startDev('dev');
    dev.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    network = await eventually('picolo dev', async () => JSON.parse(output) as NetworkFile, 90_000);
  });

  after(async () => {
    for (const pid of [...seen, dev?.pid ?? -1].filter(alive)) process.kill(pid, 'SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });

  async function startDev(name: string): Promise<ChildProcess> {
    const ports = ['--chain-port', String(await freePort()), '--api-port', String(await freePort(PROVIDERS))];
    const args = ['--json', 'dev', '--dir', join(dir, name), '--deployment', join(dir, `${name}-deployment`), ...ports];
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'cli/main.ts', ...args], {
      cwd: projectRoot, env: childEnv as NodeJS.ProcessEnv, stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stderr?.resume();
    seen.add(child.pid ?? -1);
    return child;
  }

  const at = (): string[] => ['--rpc', network.rpc, '--deployment', join(dir, 'dev-deployment')];
  const client = (): string[] => [...at(), '--url', network.url, '--database', network.database, '--channel', network.channel];
  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await run(['--json', ...args], { PICOLO_KEY: network.key });
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as T;
  };

  it('every command has a help text, and every one that does something has an example', async () => {
    const commands = commandsBelow([], createProgram());
    const { code, stdout } = await run(['cluster', 'create', '--help']);
    expect([code, stdout]).to.deep.equal([0, commands.find(({ path }) => path.join(' ') === 'cluster create')?.help]);
    expect(commands.map(({ path }) => path.join(' '))).to.include.members([
      '', 'dev', 'provider init', 'provider stake', 'provider status', 'provider exit', 'provider collect', 'provider leave', 'provider failed', 'node start',
      'cluster create', 'cluster replace', 'cluster close', 'challenge open', 'challenge status', 'challenge settle', 'group status',
      'db create', 'sql', 'params show', 'params propose', 'params vote', 'params status', 'params queue', 'params execute',
      'provider certificate issue', 'provider certificate anchor', 'provider certificate revoke', 'provider certificate promote', 'watch',
    ]);
    for (const { path, help, leaf } of commands) {
      expect(help, path.join(' ')).to.match(/^Usage: picolo/);
      if (leaf) expect(help, path.join(' ')).to.match(/Examples?:\n {2}\S*.*picolo /);
    }
  });

  it('--json prints one JSON value, whatever the command', async () => {
    const dirOf = (n: number): string => join(dir, 'dev', `provider-${n}`);
    expect(await json<object>('provider', 'status', '--dir', dirOf(1))).to.include({ status: 'active', usedGib: 1 });
    const table = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, words TEXT NOT NULL)';
    expect(await json<object>('sql', ...client(), '-c', table)).to.include({ assurance: 'receipt' });
    expect(await json<object>('sql', ...client(), '-c', "INSERT INTO notes (id, words) VALUES (1, 'one'), (2, 'two')")).to.include({ changes: 2 });
    const read = await json<{ rows: unknown; nodes: unknown[] }>('sql', ...client(), '-c', 'SELECT words FROM notes ORDER BY id');
    expect(read.rows).to.deep.equal([{ words: 'one' }, { words: 'two' }]);
    expect(read.nodes.length).to.be.at.least(2);
    const [watched] = await json<[{ verdicts: { verdict: string }[]; audit: { verdict: string; checked: number }[] }]>('watch', ...client(), '--rounds', '1');
    expect(watched.verdicts.map(({ verdict }) => verdict)).to.deep.equal(['honest', 'honest', 'honest', 'honest']);
    expect(watched.audit.map(({ verdict }) => verdict)).to.deep.equal(['honest', 'honest', 'honest', 'honest']);
    expect(watched.audit.some(({ checked }) => checked > 0)).to.equal(true);
    const made = await json<{ group: string }>('cluster', 'create', ...at(), '--replicas', '4');
    expect(await json<object>('db', 'create', ...at(), '--url', network.url, '--group', made.group, '--name', 'second')).to.have.property('database');
    const [status] = await json<[{ members: Record<string, unknown>[] }]>('group', 'status', '--url', network.url, '--group', network.group);
    expect(status.members.map(({ replica, state, epoch, behind }) => [replica, state, epoch, behind === null])).to.deep.equal(
      [0, 1, 2, 3].map((replica) => [replica, 'live', '1', false]));
    for (const { leader, view, mode, checkpoint, clockOffsetMs } of status.members) {
      expect([Number(view) % PROVIDERS, ['fast', 'classic'].includes(String(mode))]).to.deep.equal([leader, true]);
      expect([Number(checkpoint) > 0, typeof clockOffsetMs]).to.deep.equal([true, 'number']);
    }
    expect(await json<object>('provider', 'collect', '--dir', dirOf(2))).to.be.an('array');
  });

  it('parameters and certificates: what stands on the chain, what it refuses', async () => {
    const { values, delays } = await json<{ values: Record<string, Record<string, string>>; delays: Record<string, string> }>('params', 'show', ...at());
    expect([values['stakeRates']?.['minimum'], delays['stakeRates'], delays['draw']]).to.deep.equal(['1000000000000000000000', '2073600', '172800']);
    const poor = await run(['--json', 'params', 'propose', 'draw', 'delay=32', '--description', 'Shorter', ...at()], { PICOLO_KEY: network.key });
    expect([poor.code, faultIn(poor).code]).to.deep.equal([1, 'CHAIN_REFUSED']); // no votes
    const odd = await run(['--json', 'params', 'propose', 'draw', 'depth=32', '--description', 'Odd', ...at()], { PICOLO_KEY: network.key });
    expect([odd.code, faultIn(odd).code]).to.deep.equal([2, 'CLI_BAD_OPTION']);
    const provider = join(dir, 'dev', 'provider-1');
    const { node, standing } = await json<{ node: string; standing: { step: string } }>('provider', 'status', '--dir', provider);
    expect(standing.step).to.equal('staked');
    const file = join(dir, 'certificate.json');
    expect(await json<object>('provider', 'certificate', 'issue', ...at(), '--node', node, '--number', '1', '--out', file)).to.include({ node, number: '1' });
    const forged = await run(['--json', 'provider', 'certificate', 'anchor', '--dir', provider, '--file', file]);
    expect([forged.code, faultIn(forged).code]).to.deep.equal([1, 'CHAIN_REFUSED']); // that wallet is no root
  });

  it('without --json there is a table for people', async () => {
    const { code, stdout } = await run(['sql', ...client(), '-c', 'SELECT id, words FROM notes ORDER BY id'], { PICOLO_KEY: network.key });
    expect(code).to.equal(0);
    expect(stdout).to.match(/id \| words\n-+\+-+\n {1}1 \| one\n {1}2 \| two\n\(2 rows, quorum of [2-4] nodes, as of /);
  });

  it('a fault is one JSON line on stderr and exit code 1', async () => {
    const syntax = await run(['--json', 'sql', ...client(), '-c', 'SELEC 1'], { PICOLO_KEY: network.key });
    expect([syntax.code, syntax.stdout, faultIn(syntax).code]).to.deep.equal([1, '', 'SDK_SYNTAX']);
    const nobody = await run(['--json', 'sql', ...at(), '--url', `http://127.0.0.1:${await freePort()}`, '--database', network.database, '-c', 'SELECT 1']);
    expect([nobody.code, faultIn(nobody).code]).to.deep.equal([1, 'SDK_NO_NODE']);
    const busy = await run(['--json', 'provider', 'exit', '--dir', join(dir, 'dev', 'provider-1')]);
    expect([busy.code, faultIn(busy).code]).to.deep.equal([1, 'CHAIN_REFUSED']); // its capacity is in use
    for (const { stderr } of [syntax, nobody, busy]) expectNoInside(stderr);
  });

  it('Ctrl-C on `picolo dev` ends every process it started', async () => {
    const family = descendantsOf(dev.pid as number);
    for (const pid of family) seen.add(pid);
    expect(family.length).to.be.at.least(1 + PROVIDERS); // chain and nodes
    expect(await interrupted(dev)).to.equal(0);
    await eventually('all gone', async () => (family.some(alive) ? undefined : true), 10_000);
  });

  it('Ctrl-C while it is still starting leaves nothing behind either', async () => {
    const early = await startDev('early');
    const chain = await eventually('its first process', async () => descendantsOf(early.pid as number)[0]);
    seen.add(chain);
    expect(await interrupted(early)).to.equal(0);
    await eventually('all gone', async () => (alive(chain) || descendantsOf(early.pid as number).length > 0 ? undefined : true), 10_000);
  });
});

interface Found {
  readonly path: readonly string[];
  readonly help: string;
  /** It has no commands below it. */
  readonly leaf: boolean;
}

function commandsBelow(path: readonly string[], command: Command): Found[] {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return [{ path, help, leaf: command.commands.length === 0 }, ...command.commands.flatMap((below) => commandsBelow([...path, below.name()], below))];
}

/** What a terminal's Ctrl-C does to the command: the signal; its exit code. */
function interrupted(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill('SIGINT');
  });
}

function alive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Children, their children, and so on. */
function descendantsOf(pid: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=']).toString().trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (parent: number): number[] => pairs.filter(([, ppid]) => ppid === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}
