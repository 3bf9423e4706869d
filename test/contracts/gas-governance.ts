import type { TransactionResponse } from 'ethers';
import { addressOf } from '../../protocol/crypto/index.ts';
import { headerOf } from '../../sdk/operator/index.ts';
import { enact, impersonate } from './governance.ts';
import { addNode, bySigner, createCluster, DAY, ethers, hash, helpers, keyOf, now, offer, PINT, send, sign, type TestNode, type World } from './world.ts';

type Note = (name: string, sent: Promise<TransactionResponse>) => Promise<void>;

/** Parameters, votes and certificates. */
export async function governanceJourney(world: World, note: Note): Promise<void> {
  const { c, watcher } = world;
  const governor = await impersonate(c.PintGovernor);
  const target = await c.SystemParams.getAddress();
  const call = c.SystemParams.interface.encodeFunctionData('setStakeRates', [[1_100n * PINT, PINT, 50n * PINT]]);
  await note('Authority.schedule', send(c.Authority, governor, 'schedule', target, call, 0));
  await helpers.time.increase(25n * DAY);
  await note('Authority.execute setStakeRates', send(c.Authority, governor, 'execute', target, call));
  const node = await addNode(world, 800, world.others[0]!);
  await note('StakeVotes.record of 1', send(c.StakeVotes, node.owner, 'record', [node.address]));
  const root = keyOf(5_000);
  await enact(world, { target: c.Authority, method: 'grantRole', args: [6, addressOf(root), 0] });
  const issuedAt = await now();
  const certificate = { node: node.address, number: 1n, transportKeyHash: hash(1), softwareHash: hash(2), issuedAt, expiresAt: issuedAt + 400n * DAY };
  const signature = sign(world, { key: root }, 'NodeCertificate', certificate);
  await note('NodeRegistry.anchorCertificate', send(c.NodeRegistry, watcher, 'anchorCertificate', certificate, signature));
  await send(c.NodeRegistry, await impersonate(c.ClusterSplitter), 'noteFees', node.address, await c.PintToken.getAddress(), 100n * PINT);
  await helpers.time.increase(91n * DAY);
  await note('NodeRegistry.promote', send(c.NodeRegistry, watcher, 'promote', node.address));
  await note('NodeRegistry.releaseFees', send(c.NodeRegistry, watcher, 'releaseFees', node.address));
}

/** A group that randomness composes, from sixteen candidates. */
export async function drawJourney(world: World, note: Note): Promise<void> {
  const { c, consumer } = world;
  const cluster = await createCluster(world, 4);
  const nodes: TestNode[] = [];
  for (let i = 0; i < 16; i++) nodes.push(await addNode(world, 820 + i, world.others[i % 10]!));
  const candidates = nodes.sort(bySigner).map(({ address }) => address);
  await note('ClusterRegistry.openDraw, 16 candidates', send(c.ClusterRegistry, consumer, 'openDraw', cluster, 10, candidates));
  const { seedBlock } = (await c.ClusterRegistry.getFunction('drawOf')(cluster)) as { seedBlock: bigint };
  // the seed of a test chain is its own: the same in every run, so the number of candidates looked at is, too
  await helpers.setPrevRandao(7n);
  await helpers.mine(65);
  const header = await headerOf(ethers.provider as never, seedBlock);
  const { mixHash } = (await ethers.provider.send('eth_getBlockByNumber', [`0x${seedBlock.toString(16)}`, false])) as { mixHash: string };
  const chosen = [...(await c.ClusterRegistry.getFunction('choose')(mixHash, candidates, 4, 10, 0))].map((node) => String(node).toLowerCase());
  const offers = await Promise.all(nodes.filter(({ address }) => chosen.includes(address)).map((node) => offer(world, cluster, node)));
  await note('ClusterRegistry.formDrawnGroup, 4 of 16', send(c.ClusterRegistry, consumer, 'formDrawnGroup', cluster, header, candidates, offers));
}
