import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { TransactionResponse } from 'ethers';
import { commitmentOf, encodeEvidence, packCell, packQuestion, type Evidence } from '../../protocol/evidence/index.ts';
import { type Address, type Hash32, type Hex, type Path } from '../../protocol/types/index.ts';
import { rosterOf } from '../../protocol/membership/index.ts';
import { gasPage, pageFile } from '../../scripts/gas.ts';
import {
  ackFork, ackThenConsume, answer, certified, chargeOf, doubleBlockVote, doubleProposal, falseAnswer, falseCheckpoint, falseHistory, fastAck, forgedRow,
  forkedCertificates, h, lockRegress, rankUnderreport, voteConflict, type CaseOf, type Place,
} from './cases.ts';
import { anchorJourney, marketJourney, oracleJourney } from './gas-oracle.ts';
import { syntheticProof } from './synthetic.ts';
import { disputeJourney } from './gas-dispute.ts';
import { drawJourney, governanceJourney } from './gas-governance.ts';
import {
  addNode, compactOf, DAY, deployed, ethers, freeTerms, groupOf, helpers, keyOf, now, offer, PINT, possession, send, sign, bySigner,
  type World,
} from './world.ts';
import { askedByRank } from '../../protocol/codec/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';

/** Whole transactions on receipts, as in docs/contracts/gas.md; rewrite the file with scripts/gas.ts. */
const file = fileURLToPath(new URL('../../contracts/gas.json', import.meta.url));
const TOLERANCE = 0.03;
const measured: Record<string, number> = {};
const world = (): Promise<World> => deployed();
const rows = 20; // levels of the court's proof
const levels = 22; // a million rows of a real tree, whose hashed paths fill no tree evenly

async function note(name: string, sent: Promise<TransactionResponse>): Promise<void> {
  const receipt = await (await sent).wait();
  measured[name] = Number(receipt!.gasUsed);
}

const beneficiary = `0x${'be'.repeat(20)}` as Address;
const querier = `0x${'0a'.repeat(20)}` as Address;

async function report(place: Place, name: string, evidence: Evidence): Promise<void> {
  const { slasher, call } = encodeEvidence(evidence);
  await note(`${slasher}.${name}`, place.world.watcher.sendTransaction({ to: await place.world.c[slasher].getAddress(), data: call }));
}

async function stakeJourney(world: World): Promise<void> {
  const { c } = world;
  const owner = world.others[10]!;
  const key = keyOf(400);
  const node = { key, address: addressOf(key), owner };
  await note('StakeVault.register', send(c.StakeVault, owner, 'register', node.address, possession(world, key, await owner.getAddress())));
  await send(c.PintToken, world.admin, 'transfer', await owner.getAddress(), 9_000n * PINT);
  await send(c.PintToken, owner, 'approve', await c.StakeVault.getAddress(), 9_000n * PINT);
  await note('StakeVault.deposit first', send(c.StakeVault, owner, 'deposit', node.address, 2_000n * PINT));
  await note('StakeVault.deposit again', send(c.StakeVault, owner, 'deposit', node.address, 1_000n * PINT));
  await note('NodeRegistry.setResources first', send(c.NodeRegistry, owner, 'setResources', node.address, [100, 2, 8, 100, 3]));
  await note('StakeVault.requestUnbond', send(c.StakeVault, owner, 'requestUnbond', node.address, 500n * PINT));
  await helpers.time.increase(23n * DAY);
  await note('StakeVault.withdraw', send(c.StakeVault, owner, 'withdraw', node.address));
}

async function clusterJourney(world: World, size: number): Promise<void> {
  const { c, consumer } = world;
  const salt = h(`cluster of ${size}`);
  const cluster = (await c.ClusterRegistry.getFunction('clusterId')(await consumer.getAddress(), salt)) as Hash32;
  await note('ClusterRegistry.createCluster', send(c.ClusterRegistry, consumer, 'createCluster', salt, size, 0, [...freeTerms.slice(0, 1), 1n, 2n, 3n, 4n, 5n]));
  const nodes = [];
  for (let i = 0; i <= size; i++) nodes.push(await addNode(world, 500 + 10 * size + i, world.others[i]!));
  const members = nodes.slice(0, size).sort(bySigner);
  const offers = await Promise.all(members.map((node) => offer(world, cluster, node)));
  await note(`ClusterRegistry.formGroup of ${size}`, send(c.ClusterRegistry, consumer, 'formGroup', cluster, 10, offers));
  const roster = `0x${members.map((m) => m.address.slice(2)).join('')}`;
  const joining = nodes[size]!;
  await note(`ClusterRegistry.replaceMember of ${size}`,
    send(c.ClusterRegistry, consumer, 'replaceMember', cluster, 0, roster, members[0]!.address, await offer(world, cluster, joining)));
  const next = `0x${[...members.slice(1), joining].sort(bySigner).map((m) => m.address.slice(2)).join('')}`;
  await note(`ClusterRegistry.closeGroup of ${size}`, send(c.ClusterRegistry, consumer, 'closeGroup', cluster, 0, next));
}

type Case = readonly [name: string, make: (place: Place, at: bigint) => Evidence];

const reports: readonly Case[] = [
  ['VoteConflict, batch of 1', (p) => voteConflict(p, 0, beneficiary)],
  ['VoteConflict, batches of 64', (p) => voteConflict(p, 0, beneficiary, { size: 64, index: 5, items: 4 }, { size: 64, index: 40, items: 4 })],
  ['DoubleBlockVote', (p) => doubleBlockVote(p, 0, beneficiary)],
  ['DoubleProposal', (p) => doubleProposal(p, 0, beneficiary)],
  ['LockRegress', (p) => lockRegress(p, 0, beneficiary)],
  ['RankUnderreport', (p) => rankUnderreport(p, 0, beneficiary)],
  ['AckFork', (p) => ackFork(p, 0, beneficiary, { kind: 'ack', ...fastAck(p, 0, { head: 'other' }) })],
  ['AckThenConsume, batch and block of 64', (p) => ackThenConsume(p, 0, beneficiary, { size: 64 })],
  ['FalseCheckpoint, 3 of 4', (p) => falseCheckpoint(p, 0, beneficiary)],
  ['ForkedCertificates, 3 of 4 twice, 2 culprits', (p) => forkedCertificates(p, beneficiary)],
  ['FalseAnswer, own root, 22 levels', (p, at) => bigAnswer(p, at, true)],
  ['FalseAnswer, own root, 22 levels, absence', (p, at) => bigAnswer(p, at, false)],
  ['FalseAnswer, another rank, 22 levels', (p, at) => otherRow(p, at)],
  ['FalseAnswer, certificate 3 of 4', (p, at) => falseAnswer(p, 0, 'certificate', querier, at)],
  ['FalseAnswer, older than asked for', (p, at) => falseAnswer(p, 0, 'stale', querier, at)],
  ['ForgedRow', (p, at) => forgedRow(p, 0, querier, at)],
  ['ForgedRow, batch of 64', (p, at) => forgedRow(p, 0, querier, at, { batch: 64, index: 40 })],
  ['FalseHistory, two lists', (p, at) => falseHistory(p, 0, querier, at, 'list')],
  ['FalseHistory, certificate 3 of 4', (p, at) => falseHistory(p, 0, querier, at, 'certificate')],
];

async function evidenceJourney(world: World): Promise<void> {
  const place: Place = { world, group: await groupOf(world), epoch: 1n };
  const untouched = await helpers.takeSnapshot();
  await report(place, 'DoubleBlockVote, first fault of its group', doubleBlockVote(place, 0, beneficiary));
  await untouched.restore();
  await report(place, 'FalseAnswer, own root, 22 levels, first fault of its group, new querier', bigAnswer(place, await now(), true));
  await untouched.restore();
  // on a living network the group's pot and the querier's credit are in use
  await report(place, 'warm-up', falseAnswer(place, 2, 'empty', querier, await now()));
  const living = await helpers.takeSnapshot();
  for (const [name, make] of reports) {
    await report(place, name, make(place, await now()));
    await living.restore();
  }
  delete measured['SlasherAnswers.warm-up'];
  await afterwards(place);
}

/** What follows a conviction, at anybody's expense. */
async function afterwards(place: Place): Promise<void> {
  const { world, group } = place;
  const evidence = doubleBlockVote(place, 0, beneficiary);
  await note('SlasherConsensus.commit', send(world.c.SlasherConsensus, world.watcher, 'commit', commitmentOf(evidence)));
  await report(place, 'DoubleBlockVote', evidence);
  await helpers.time.increase(601);
  const parts = [beneficiary, 100n * PINT, group.group, ethers.ZeroAddress, 200n * PINT];
  await note('StakeVault.shareOut', send(world.c.StakeVault, world.watcher, 'shareOut', group.roster[0], parts));
  await note('StakeVault.settle', send(world.c.StakeVault, world.watcher, 'settle', group.group));
  await helpers.time.increase(22n * DAY);
  await note('StakeVault.claimCredit', send(world.c.StakeVault, world.watcher, 'claimCredit', beneficiary));
}

function bigAnswer(place: Place, issuedAt: bigint, present: boolean): CaseOf<'FalseAnswer'> {
  const path = h('a row') as Path;
  const { root, proof } = syntheticProof(path, h('its hash'), levels);
  // the same first bits, another rest: it would leave the leaf's own edge
  const asked = present ? path : (`${path.slice(0, 2 + levels)}${path.slice(2 + levels).replace(/[0-9a-f]/g, '7')}` as Path);
  const signed = answer(place, 0, { stateRoot: root, path: asked, rowHash: h('lie'), querier, issuedAt });
  return { kind: 'FalseAnswer', ...chargeOf(place, 0), answer: signed, against: { kind: 'ownRoot', proof } };
}

/** An answer about another row than the one at the rank that it repeats. */
function otherRow(place: Place, issuedAt: bigint): CaseOf<'FalseAnswer'> {
  const { root, proof, rank } = syntheticProof(h('a row') as Path, h('its hash'), levels);
  const request = h('a question');
  const shape = { stateRoot: root, path: h('another row') as Path, rowHash: h('its own hash'), querier, issuedAt, request: askedByRank(request, rank) };
  return { kind: 'FalseAnswer', ...chargeOf(place, 0), answer: answer(place, 0, shape), against: { kind: 'rank', request, rank, proof } };
}

async function channelJourney(world: World): Promise<void> {
  const { c, consumer, watcher } = world;
  const channels = c.PaymentChannels;
  const payee = await watcher.getAddress();
  const signer = keyOf(900);
  const payer = await consumer.getAddress();
  await send(c.PintToken, world.admin, 'transfer', payer, 10_000n * PINT);
  await send(c.PintToken, consumer, 'approve', await channels.getAddress(), ethers.MaxUint256);
  const keyFor = (token: string, salt: number): readonly unknown[] => [payer, payee, token, addressOf(signer), h(`salt ${salt}`)];
  const voucher = async (key: readonly unknown[], cumulative: bigint): Promise<Hex> => {
    const channel = (await channels.getFunction('channelId')(key)) as Hash32;
    return sign(world, { key: signer }, 'Voucher', { channel, cumulative });
  };
  const ether = keyFor(ethers.ZeroAddress, 0);
  const token = keyFor(await c.PintToken.getAddress(), 0);
  await note('PaymentChannels.fund ether, new', send(channels, consumer, 'fund', ether, 100n * PINT, { value: 100n * PINT }));
  await note('PaymentChannels.fund token, new', send(channels, consumer, 'fund', token, 100n * PINT));
  await note('PaymentChannels.fund token, again', send(channels, consumer, 'fund', token, 100n * PINT));
  await note('PaymentChannels.collect ether', send(channels, watcher, 'collect', ether, PINT, await voucher(ether, PINT)));
  await note('PaymentChannels.collect token, new payee', send(channels, watcher, 'collect', token, PINT, await voucher(token, PINT)));
  await note('PaymentChannels.collect token', send(channels, watcher, 'collect', token, 2n * PINT, await voucher(token, 2n * PINT)));
  const plain = await (await ethers.getContractFactory('FalseToken')).connect(consumer).deploy();
  const other = keyFor(await plain.getAddress(), 0);
  await (plain.connect(consumer) as never as typeof channels).getFunction('approve')(await channels.getAddress(), ethers.MaxUint256);
  await send(channels, consumer, 'fund', other, 100n * PINT);
  await send(channels, watcher, 'collect', other, PINT, await voucher(other, PINT));
  await note('PaymentChannels.collect token without votes', send(channels, watcher, 'collect', other, 2n * PINT, await voucher(other, 2n * PINT)));
  const claims = [];
  for (let i = 1; i <= 10; i++) {
    const key = keyFor(await c.PintToken.getAddress(), i);
    await send(channels, consumer, 'fund', key, 10n * PINT);
    await send(channels, watcher, 'collect', key, PINT, await voucher(key, PINT));
    claims.push([payer, addressOf(signer), key[4], 2n * PINT, ...compactOf((await voucher(key, 2n * PINT)) as never)]);
  }
  await note('PaymentChannels.collectMany, 10 tokens', send(channels, watcher, 'collectMany', payee, await c.PintToken.getAddress(), claims));
  await note('PaymentChannels.requestClose', send(channels, consumer, 'requestClose', token));
  await helpers.time.increase(2n * DAY + 1n);
  await note('PaymentChannels.withdraw', send(channels, consumer, 'withdraw', token));
}

async function splitterJourney(world: World): Promise<void> {
  const { c, consumer, watcher } = world;
  const group = await groupOf(world, 4, 700);
  const signer = keyOf(901);
  const key = [await consumer.getAddress(), await c.ClusterSplitter.getAddress(), ethers.ZeroAddress, addressOf(signer), group.cluster];
  await send(c.PaymentChannels, consumer, 'fund', key, PINT, { value: PINT });
  const channel = (await c.PaymentChannels.getFunction('channelId')(key)) as Hash32;
  for (const [cumulative, name] of [[4_000n, 'first'], [8_000n, 'again']] as const) {
    const signature = sign(world, { key: signer }, 'Voucher', { channel, cumulative });
    await note(`ClusterSplitter.collect ether, ${name}`, send(c.ClusterSplitter, watcher, 'collect', key, cumulative, signature, [0]));
  }
  await note('ClusterSplitter.claim ether', send(c.ClusterSplitter, watcher, 'claim', group.group, 1, ethers.ZeroAddress, group.packed, 2));
}

async function courtJourney(world: World): Promise<void> {
  const group = await groupOf(world, 4, 800);
  const place: Place = { world, group, epoch: 1n };
  const { node, roster } = { node: group.members[0]!, roster: rosterOf(group.group, 1n, group.roster) };
  const path = h('a row') as Path;
  const { root, proof } = syntheticProof(path, h('its hash'), rows);
  const shown = certified(place, root);
  const court = world.c.AvailabilityCourt;
  for (const turn of ['first', 'again']) {
    await note(`AvailabilityCourt.open ${turn}`, send(court, world.watcher, 'open', path, packQuestion(roster, node.address, shown), { value: 10n ** 15n }));
    if (turn === 'again') break;
    await note('AvailabilityCourt.respond, 2^20 rows', send(court, node.owner, 'respond', group.group, node.address, packCell(roster, shown, path, proof)));
    await helpers.time.increase(3_600);
  }
  for (const turn of ['first', 'again']) {
    await helpers.time.increase(7_200);
    await note(`AvailabilityCourt.settle ${turn}`, send(court, world.watcher, 'settle', group.group, node.address));
  }
}

describe('gas of whole transactions', () => {
  it('every operation is within 3 % of contracts/gas.json', async function () {
    this.timeout(240_000);
    const journeys = [
      stakeJourney, (w: World) => clusterJourney(w, 4), (w: World) => clusterJourney(w, 7), evidenceJourney, channelJourney, splitterJourney,
      courtJourney, (w: World) => governanceJourney(w, note), (w: World) => drawJourney(w, note),
      (w: World) => disputeJourney(w, note),
    ];
    for (const journey of journeys) {
      await journey(await helpers.loadFixture(world));
    }
    const rest = await helpers.loadFixture(world);
    await send(rest.c.PintToken, rest.admin, 'approve', await rest.c.AccessDeposits.getAddress(), PINT);
    await note('AccessDeposits.deposit first', send(rest.c.AccessDeposits, rest.admin, 'deposit', querier, PINT));
    for (const journey of [anchorJourney, oracleJourney, marketJourney]) await journey(note, await helpers.loadFixture(world));
    if (process.env['PICOLO_GAS_WRITE'] === '1') writeFileSync(file, `${JSON.stringify(measured, null, 2)}\n`);
    const committed = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
    expect(Object.keys(measured)).to.deep.equal(Object.keys(committed));
    const worse = Object.entries(measured).filter(([name, gas]) => gas > (committed[name] as number) * (1 + TOLERANCE));
    if (process.env['PICOLO_GAS_WRITE'] !== '1') expect(readFileSync(pageFile, 'utf8')).to.equal(gasPage(committed));
    expect(worse.map(([name, gas]) => `${name}: ${gas}, committed ${committed[name]}`)).to.deep.equal([]);
  });
});
