// Set-up for a machine that has only git, npm and an old Node (18 or newer): plain JavaScript, no
// dependencies. Installs the locked packages once, then runs a file under the project's own Node.
//
//   node scripts/setup.js                      install only
//   node scripts/setup.js --run FILE [args]    install if needed, then run FILE with Node 24
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MIN_NODE_TO_INSTALL = 22; // npm on an older Node silently skips optional native packages
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const projectNode = join(modules, '.bin', process.platform === 'win32' ? 'node.cmd' : 'node');
const stamp = join(modules, '.picolo-setup');

function lockHash() {
  return createHash('sha256').update(readFileSync(join(root, 'package-lock.json'))).digest('hex');
}

function installed() {
  return existsSync(projectNode) && existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash();
}

function install() {
  const modern = Number(process.versions.node.split('.')[0]) >= MIN_NODE_TO_INSTALL;
  const [command, args] = modern ? ['npm', ['ci']] : ['npx', ['-y', '-p', 'node@24', 'npm', 'ci']];
  console.error(`Setting up: ${command} ${args.join(' ')} (once, about half a minute)`);
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const result = spawnSync(command, [...args, ...quiet], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    console.error('SETUP_INSTALL_FAILED: the packages could not be installed; check the network and run the command again.');
    process.exit(result.status ?? 1);
  }
  writeFileSync(stamp, lockHash());
}

function run(file, args) {
  const child = spawn(projectNode, ['--disable-warning=ExperimentalWarning', join(root, file), ...args], {
    stdio: 'inherit',
    // npm started us with the system's Node first: put the project's own in front for every child
    env: { ...process.env, PATH: `${join(modules, '.bin')}:${process.env.PATH ?? ''}` },
  });
  // Ctrl-C reaches the whole process group: let the child clean up, then leave with its status.
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      if (signal === 'SIGTERM') child.kill(signal);
    });
  }
  child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
}

if (!installed()) install();
const at = process.argv.indexOf('--run');
if (at >= 0) run(process.argv[at + 1], process.argv.slice(at + 2));
