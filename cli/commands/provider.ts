import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { formatEther } from 'ethers';
import { renderConfig } from '../../node/config/index.ts';
import { createKeystore } from '../../node/signer/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { addressFrom, regionCode, regions, type Address } from '../../protocol/types/index.ts';
import {
  announce, offerCapacity, providerOf, registerProvider, requestExit, requiredStakeWei, stake, standingOf, withdrawStake, type Network, type Provider,
} from '../../sdk/operator/index.ts';
import { cliFaults } from '../faults.ts';
import { certificateCommand } from './provider-certificate.ts';
import { challengesAgainst, disputesOf, failedCommand, leaveCommand } from './provider-courts.ts';
import { collectCommand } from './provider-collect.ts';
import { capacity, openProvider, outputOf, providerPassword, tokens, wholeNumber } from '../options.ts';

export function providerCommand(): Command {
  return new Command('provider').description('Stake, serve, leave.')
    .addCommand(initCommand()).addCommand(stakeCommand()).addCommand(statusCommand()).addCommand(exitCommand()).addCommand(collectCommand())
    .addCommand(leaveCommand()).addCommand(failedCommand()).addCommand(certificateCommand());
}

function initCommand(): Command {
  return new Command('init')
    .description("Make a provider's folder: configuration, operator key, node key.")
    .requiredOption('--dir <dir>', 'folder to make')
    .option('--region <name>', `where the machine stands: ${regions.join(' ')}`, 'eu-west')
    .option('--capacity <size>', 'what the machine offers, such as 50GB', capacity, 50)
    .option('--rpc <url>', 'JSON-RPC of the chain', 'http://127.0.0.1:8545')
    .option('--deployment <dir>', 'folder with the addresses of the contracts', 'deployments/31337')
    .option('--api-port <port>', 'port of the client API', wholeNumber('--api-port', 1, 65_535), 4101)
    .option('--peer-port <port>', 'port for other nodes', wholeNumber('--peer-port', 1, 65_535), 5101)
    .option('--host <host>', 'address to listen on and announce', '127.0.0.1')
    .option('--neighbour <url...>', 'MX neighbours, such as ws://127.0.0.1:4102/v1/mx')
    .option('--dictionary <file>', 'what this node exports to MX')
    .option('--poq-interval <ms>', 'time between Proof-of-Query rounds', wholeNumber('--poq-interval', 100, 3_600_000), 10_000)
    .option('--password-file <file>', 'file with the password for the key files')
    .option('--light-keys', 'cheap key derivation, for tests and local networks only')
    .addHelpText('after', '\nExample:\n  picolo provider init --dir ./provider --region eu-west --capacity 50GB\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const dir = resolve(options.dir as string);
      regionCode(options.region as string);
      if (existsSync(join(dir, 'picolo.toml'))) throw cliFaults.exists({ dir });
      const password = await providerPassword(dir, options.passwordFile as string | undefined);
      mkdirSync(join(dir, 'keys'), { recursive: true, mode: 0o700 });
      chmodSync(join(dir, 'keys'), 0o700);
      const light = options.lightKeys === true ? { scryptN: 1024 } : {};
      const operator = await createKeystore({ path: join(dir, 'keys/operator.json'), password, ...light });
      const node = await createKeystore({ path: join(dir, 'keys/node.json'), password, ...light });
      writeFileSync(join(dir, 'picolo.toml'), renderConfig({
        region: options.region as string, capacityGib: options.capacity as number, rpcUrl: options.rpc as string,
        deployment: resolve(options.deployment as string),
        api: { host: options.host as string, port: options.apiPort as number },
        peers: { host: options.host as string, port: options.peerPort as number },
        neighbours: (options.neighbour as string[] | undefined) ?? [], poqIntervalMs: options.poqInterval as number,
        ...(options.dictionary === undefined ? {} : { dictionary: resolve(options.dictionary as string) }),
      }));
      out.line(`Provider made in ${dir}\n  operator ${operator}  (fund it with ether and PINT)\n  node     ${node}`);
      out.line('Next: picolo provider stake --dir DIR');
      out.result({ dir, operator, node });
    });
}

function stakeCommand(): Command {
  return new Command('stake')
    .description('Register the node, deposit stake, offer capacity. Repeat it to add stake.')
    .requiredOption('--dir <dir>', "the provider's folder")
    .option('--amount <pint>', 'PINT to deposit (default: what the capacity needs)', tokens('--amount'))
    .option('--password-file <file>', 'file with the password of the key files')
    .addHelpText('after', '\nExample:\n  picolo provider stake --dir ./provider --amount 1050\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const { config, network, nodeKey } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      const node = addressOf(nodeKey);
      const before = await providerOf(network, node);
      const gas: Record<string, bigint> = {};
      if (before.status === 'none') gas['register'] = (await registerProvider(network, nodeKey)).gasUsed;
      const need = await requiredStakeWei(network, config.capacityGib);
      const amount = (options.amount as bigint | undefined) ?? (need > before.activeWei ? need - before.activeWei : 0n);
      if (amount > 0n) gas['deposit'] = (await stake(network, node, amount))[1].gasUsed;
      gas['offer'] = (await offerCapacity(network, node, config.capacityGib, config.region)).gasUsed;
      const { api, peers } = config.listen;
      gas['announce'] = (await announce(network, node, `http://${api.host}:${api.port}`, peers)).gasUsed;
      const after = await providerOf(network, node);
      printProvider(out, after);
      out.result({ ...after, gas });
      network.close();
    });
}

function statusCommand(): Command {
  return new Command('status')
    .description('Stake, groups, and every mark against the node with its evidence.')
    .option('--dir <dir>', "the provider's folder")
    .option('--node <address>', 'another node, seen through this folder\'s chain')
    .option('--password-file <file>', 'file with the password of the key files')
    .addHelpText('after', '\nExample:\n  picolo provider status --dir ./provider\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      if (options.dir === undefined) throw cliFaults.badOption({ option: '--dir', expected: "the provider's folder" });
      const { network, nodeKey } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      const node = options.node === undefined ? addressOf(nodeKey) : addressFrom(options.node);
      const provider = await providerOf(network, node);
      const slashes = await network.events('StakeVault', 'Slashed', [node]);
      const standing = await standingOf(network, node);
      printProvider(out, provider);
      out.line(`Trust: ${standing.step}; fees earned ${formatEther(standing.earnedWei)} PINT, locking ${formatEther(standing.feeStakeWei)}`);
      if (slashes.length > 0) {
        out.title('Marks against the node');
        out.table(['block', 'offence', 'amount PINT', 'transaction'], slashes.map((mark) => [
          mark['blockNumber'], mark['kind'], formatEther(mark['amount'] as bigint), mark['transactionHash'],
        ]));
      }
      const challenges = await challengesAgainst(network, node);
      if (challenges.length > 0) {
        out.title('Challenges that wait for an answer');
        out.table(['group', 'path', 'answer by', 'drained PINT', 'due PINT'], challenges.map(({ group, path, answerBy, takenWei, dueWei }) => [
          group, path, new Date(Number(answerBy) * 1000).toISOString(), formatEther(takenWei), formatEther(dueWei),
        ]));
      }
      const disputes = await disputesOf(network, node);
      if (disputes.length > 0) {
        out.title('Disputes');
        out.table(['dispute', 'role', 'kind', 'phase', 'until'], disputes.map(({ dispute, role, kind, phase, phaseEnds }) => [
          dispute, role, kind, phase, phaseEnds === 0n ? '' : new Date(Number(phaseEnds) * 1000).toISOString(),
        ]));
      }
      out.result({ ...provider, standing, slashes, challenges, disputes });
      network.close();
    });
}

function exitCommand(): Command {
  return new Command('exit')
    .description('Withdraw the offer and start unbonding; run it again after the unbonding time to get the stake back.')
    .requiredOption('--dir <dir>', "the provider's folder")
    .option('--password-file <file>', 'file with the password of the key files')
    .addHelpText('after', '\nExample:\n  picolo provider exit --dir ./provider\n')
    .action(async (options, command: Command) => {
      const out = outputOf(command);
      const { network, nodeKey } = await openProvider(resolve(options.dir as string), options.passwordFile as string | undefined);
      const node = addressOf(nodeKey);
      const before = await providerOf(network, node);
      const done = before.pendingWei > 0n ? await finishExit(network, node, before) : await beginExit(network, node);
      out.line(done.text);
      out.result(done.facts);
      network.close();
    });
}

async function beginExit(network: Network, node: Address): Promise<{ text: string; facts: unknown }> {
  const { receipts, leavingWei, unlockAt, stayingWei } = await requestExit(network, node);
  const leaving = `${formatEther(leavingWei)} PINT unbond until ${new Date(Number(unlockAt) * 1000).toISOString()}; then run this again.`;
  const staying = `Fees that were collected lately lock ${formatEther(stayingWei)} PINT; run this again when they are older.`;
  return {
    text: [...(leavingWei > 0n ? [leaving] : []), ...(stayingWei > 0n ? [staying] : [])].join(' '),
    facts: { step: leavingWei > 0n ? 'unbonding' : 'locked', leavingWei, unlockAt, stayingWei, gas: receipts.map((receipt) => receipt.gasUsed) },
  };
}

async function finishExit(network: Network, node: Address, { pendingWei }: Provider): Promise<{ text: string; facts: unknown }> {
  const receipt = await withdrawStake(network, node);
  return { text: `Withdrew ${formatEther(pendingWei)} PINT.`, facts: { step: 'withdrawn', amountWei: pendingWei, gas: [receipt.gasUsed] } };
}

function printProvider(out: ReturnType<typeof outputOf>, provider: Provider): void {
  out.table(['what', 'value'], [
    ['node', provider.node], ['owner', provider.owner], ['status', provider.status], ['stake PINT', formatEther(provider.activeWei)],
    ['unbonding PINT', formatEther(provider.pendingWei)], ['locked PINT', formatEther(provider.lockedWei)],
    ['offered GiB', String(provider.offeredGib)], ['used GiB', String(provider.usedGib)], ['region', provider.region],
  ]);
}
