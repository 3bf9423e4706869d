import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatEther } from 'ethers';
import { picolo as command } from '../../cli/devnet/commands.ts';
import { freePort, projectRoot } from '../../cli/devnet/processes.ts';
import { createProvider, fund, stakeProvider, startChain, startProvider } from '../../cli/devnet/network.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { addressFrom, type ClusterId, type GroupId, type Hash32, type Hex } from '../../protocol/types/index.ts';
import { prove, type Step } from './story.ts';
import type { World } from './world.ts';

/** GiB offered; stake follows: 1,000 PINT and 1 PINT per GiB. */
const CAPACITIES = [50, 60, 70, 80, 60] as const;

export const chainStep: Step<World> = {
  name: 'A local chain starts and the contracts are deployed',
  async run(world, step) {
    world.chain = await startChain(world.dir, { deployment: join(projectRoot, 'deployments', '31337') });
    const folder = world.chain.deployment;
    const records = readdirSync(folder).map((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as { name: string; address: string; codeHash: string });
    step.say(`${records.length} contracts on chain 31337 (process ${world.chain.process.pid}); addresses and code hashes in deployments/31337/`);
    step.figure('contracts', Object.fromEntries(records.map(({ name, address, codeHash }) => [name, { address, codeHash }])));
    prove(records.length >= 8, 'all contracts have a record');
  },
};

export const providersStep: Step<World> = {
  name: 'Providers stake in proportion to what they offer',
  async run(world, step) {
    const names = [...CAPACITIES.map((_, i) => `provider-${i + 1}`), 'provider-small'];
    // MX neighbours are configured: the fourth provider passes strangers' questions on to the fifth
    const fifth = await freePort();
    for (const [i, name] of names.entries()) {
      const capacityGib = CAPACITIES[i] ?? 10;
      const port = name === 'provider-5' ? { apiPort: fifth } : {};
      const neighbours = name === 'provider-4' ? [`ws://127.0.0.1:${fifth}/v1/mx`] : [];
      const dictionary = join(world.dir, `${name}.dictionary.json`);
      world.providers.push(await createProvider(world.dir, world.chain, { name, capacityGib, dictionary, neighbours, poqIntervalMs: 1_000, ...port }));
    }
    const small = world.provider(6);
    const refused = await stakeProvider(small, '500').then(() => undefined, (error: unknown) => error);
    prove(isPicoloError(refused) && refused.code === 'CHAIN_STAKE_TOO_LOW', 'an under-staked provider is refused');
    step.say(`refused: 500 PINT for 10 GiB (${refused.code}, needs ${formatEther(BigInt(String(refused.facts['needWei'])))} PINT)`);
    for (const provider of world.providers) {
      const staked = await stakeProvider(provider);
      const gas = staked['gas'] as Record<string, string>;
      for (const [operation, used] of Object.entries(gas)) world.gas[operation] ??= BigInt(used);
      if (provider !== small) await startProvider(provider);
      step.say(`${provider.name}: ${formatEther(BigInt(String(staked['activeWei'])))} PINT for ${String(staked['offeredGib'])} GiB`);
    }
    step.figure('refused', { code: refused.code, needWei: String(refused.facts['needWei']) });
    step.figure('staked', world.providers.length);
  },
};

export const clusterStep: Step<World> = {
  name: 'A dapp orders a cluster; four providers form its group; a payment channel opens',
  async run(world, step) {
    await fund(world.chain, addressFrom(world.owner.address), '10', '1000');
    world.network = await world.openNetwork(world.ownerKey);
    world.onClose(() => world.network.close());
    const made = await command<{ cluster: ClusterId; group: GroupId; channel: Hash32; members: Hex[]; gas: Record<string, string> }>(
      [
        'cluster', 'create', '--rpc', world.chain.rpcUrl, '--deployment', world.chain.deployment, '--replicas', '4', '--region', 'eu-west',
        '--deposit', '0.1', '--threshold', '0.0000002',
      ],
      { PICOLO_KEY: world.ownerKey },
    );
    world.cluster = made;
    for (const [operation, used] of Object.entries(made.gas)) world.gas[operation] = BigInt(used);
    step.say(`cluster ${made.cluster.slice(0, 18)}…, replication factor 4, eu-west; channel holds 0.1 ether`);
    step.say(`group of ${made.members.length}: f = 1, quorum 3`);
    step.figure('members', made.members);
    prove(made.members.length === 4, 'the group has four members');
  },
};
