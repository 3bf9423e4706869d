import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseEther } from 'ethers';
import { fund } from '../../cli/devnet/network.ts';
import { rpc, travel } from '../../cli/devnet/rpc.ts';
import { tamper } from '../byzantine/tamper.ts';
import { providerOf, type Network } from '../../sdk/operator/index.ts';
import { command } from './command.ts';
import { eventually, faultOf, openWorld, type Dapp, type World } from './world.ts';

const LIAR = 0;
const DAY_SECONDS = 86_401;
const SQL = 'SELECT sum(people) AS all_people FROM towns';

interface Dispute {
  readonly phase: string;
  readonly verdict: string;
  readonly answered: boolean;
  readonly penaltyWei: string;
  readonly committee: readonly { readonly place: number; readonly juror: string; readonly vote: string }[];
}

describe('e2e: a dispute', () => {
  let world: World;
  let dapp: Dapp;
  let network: Network;
  let database: string;

  before(async () => {
    world = await openWorld({ providers: 0 });
    // peers would find the altered rows before the committee sits
    await Promise.all([1, 2, 3, 4].map(() => world.addProvider({ poqIntervalMs: 3_600_000 })));
    dapp = await world.order();
    network = await world.network(dapp.key);
    const client = await world.connect({ key: dapp.key });
    const db = await client.createDatabase({
      group: dapp.group, name: 'towns', schema: 'CREATE TABLE towns (id INTEGER PRIMARY KEY, people INTEGER NOT NULL)',
    });
    await db.table('towns').insertMany([1, 2, 3].map((id) => ({ id, people: 1_000 * id })));
    database = db.id;
    await Promise.all(world.providers.map((_, i) => eventually('every member has the rows', async () => {
      const rows = await (await world.connect({}, [world.providers[i]!.apiUrl])).database(database).then((one) => one.query(SQL, [], { assurance: 'signed' }));
      return rows[0]?.['all_people'] === 6_000 ? true : undefined;
    })));
    for (const { operator } of world.providers) await fund(world.chain, operator, '1', '6000');
  });

  after(() => world?.close());

  const chain = (): string[] => ['--rpc', world.chain.rpcUrl, '--deployment', world.chain.deployment];
  const dispute = <T>(args: readonly string[]): Promise<T> => command<T>(['dispute', ...args]);
  const mine = (): string[] => [...chain(), '--key', dapp.key];
  const as = (at: number): string[] => ['--dir', world.providers[at]!.dir];
  const seen = async (): Promise<Dispute> => (await dispute<[Dispute]>(['list', '--dispute', '1', ...mine()]))[0];

  it('P-6.5-committee, QUERY-54: a node that sums wrongly is disputed, judged by other providers, and pays', async () => {
    const liar = world.providers[LIAR]!;
    // the caps of a week leave the whole penalty: a fiftieth of what all have staked is more than a tenth of the liar's
    await command(['provider', 'stake', '--amount', '1500', ...as(1)]);
    for (const at of [1, 2, 3]) await command(['juror', 'join', '--seats', '8', ...as(at)]);
    await travel(world.chain.rpcUrl, DAY_SECONDS);
    const groups = join(liar.dir, 'data', 'groups');
    const altered = tamper(join(groups, readdirSync(groups)[0]!, 'ledger.sqlite'), 'towns', 2, 1, 1, (value) => (value as bigint) + 1n);
    const file = join(world.dir, 'answer.json');
    await dispute(['evidence', '--url', liar.apiUrl, '--database', database, '-c', SQL, '--out', file, ...mine()]);
    altered.undo();
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.have.nested.property('answer.rows[0][0]');
    const checked = await dispute<{ honest: boolean }>(['check', '--evidence', file, '--url', world.providers[1]!.apiUrl, ...chain()]);
    expect(checked.honest).to.equal(false);
    await refusesOtherFiles(file);

    await dispute(['open', '--evidence', file, '--uri', 'https://evidence.example/answer.json', ...mine()]);
    const { disputes } = await command<{ disputes: { role: string; phase: string }[] }>(['provider', 'status', ...as(LIAR)]);
    expect(disputes.map(({ role, phase }) => [role, phase])).to.deep.equal([['accused', 'answer']]);
    await dispute(['answer', '--dispute', '1', '--uri', 'https://evidence.example/mine.json', ...as(LIAR)]);
    expect((await faultOf(dispute(['draw', '--dispute', '1', ...mine()]))).code).to.equal('CHAIN_REFUSED');
    await rpc(world.chain.rpcUrl, 'hardhat_mine', ['0x41']);
    const { committee } = await dispute<Dispute>(['draw', '--dispute', '1', ...mine()]);
    expect(committee).to.have.length(7);
    const jurors = [1, 2, 3].filter((at) => committee.some(({ juror }) => juror === world.providers[at]!.operator));
    expect(committee.some(({ juror }) => juror === liar.operator)).to.equal(false);

    await travel(world.chain.rpcUrl, DAY_SECONDS);
    for (const at of jurors) await dispute(['vote', '--dispute', '1', '--for', 'upheld', ...as(at)]);
    expect(statSync(join(world.providers[jurors[0]!]!.dir, 'ballots.json')).mode & 0o077).to.equal(0);
    expect((await faultOf(dispute(['reveal', '--dispute', '1', '--ballots', file, ...as(jurors[0]!)]))).code).to.equal('CLI_BAD_OPTION');
    expect((await faultOf(dispute(['vote', '--dispute', '1', '--for', 'upheld', ...as(jurors[0]!)]))).code).to.equal('CHAIN_REFUSED');
    await travel(world.chain.rpcUrl, DAY_SECONDS);
    for (const at of jurors) await dispute(['reveal', '--dispute', '1', ...as(at)]);
    expect((await seen()).committee.map(({ vote }) => vote)).to.deep.equal(Array.from({ length: 7 }, () => 'upheld'));
    expect((await faultOf(dispute(['settle', '--dispute', '1', ...mine()]))).code).to.equal('CHAIN_REFUSED');

    const stake = (await providerOf(network, liar.node)).activeWei;
    expect((await seen()).penaltyWei).to.equal(String(stake / 10n));
    await travel(world.chain.rpcUrl, 2 * DAY_SECONDS);
    const settled = await dispute<{ verdict: string; takenWei: string; feesWei: string }>(['settle', '--dispute', '1', ...mine()]);
    expect([settled.verdict, settled.takenWei, settled.feesWei]).to.deep.equal(['upheld', String(stake / 10n), String(parseEther('35'))]);
    expect((await providerOf(network, liar.node)).activeWei).to.equal(stake - stake / 10n);
    const won = await dispute<{ amountWei: string }>(['collect', ...mine()]);
    expect(won.amountWei).to.equal(String(parseEther('365')));
    const earned = await dispute<{ amountWei: string }>(['collect', ...as(jurors[0]!)]);
    const places = committee.filter(({ juror }) => juror === world.providers[jurors[0]!]!.operator).length;
    expect(earned.amountWei).to.equal(String(parseEther('5') * BigInt(places)));
    const end = await seen();
    expect([end.phase, end.verdict, end.answered]).to.deep.equal(['settled', 'upheld', true]);
  });

  /** A file that somebody sent says anything; only the signed hashes count. */
  async function refusesOtherFiles(file: string): Promise<void> {
    const check = async (text: string): Promise<string> => {
      const other = join(world.dir, 'other.json');
      writeFileSync(other, text);
      return (await faultOf(dispute(['check', '--evidence', other, '--url', world.providers[1]!.apiUrl, ...chain()]))).code;
    };
    const text = readFileSync(file, 'utf8');
    expect(await check(text.replace('sum(people)', 'max(people)'))).to.equal('SDK_BAD_REPLY');
    expect(await check(text.replace('"all_people"', '"everybody"'))).to.equal('SDK_BAD_REPLY');
    expect(await check('{}')).to.equal('CLI_BAD_OPTION');
    expect((await faultOf(dispute(['open', '--kind', 'withheld', '--uri', 'u', ...mine()]))).code).to.equal('CLI_BAD_OPTION');
  }

  it('a juror leaves, waits, and has its deposits back', async () => {
    const { seats } = await command<{ seats: string[] }>(['juror', 'leave', ...as(1)]);
    expect(seats).to.have.length(8);
    await travel(world.chain.rpcUrl, 8 * DAY_SECONDS);
    expect((await command<{ seats: string[] }>(['juror', 'return', ...as(1)])).seats).to.deep.equal(seats);
    expect(await command<unknown[]>(['juror', 'status', ...as(1)])).to.deep.equal([]);
    expect((await faultOf(command(['juror', 'leave', ...as(1)]))).code).to.equal('CHAIN_REFUSED');
  });
});
