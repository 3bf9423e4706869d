import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseEther, Wallet } from 'ethers';
import { fund } from '../../cli/devnet/network.ts';
import { addressFrom, hexOf } from '../../protocol/types/index.ts';
import type { Database, Picolo } from '../../sdk/index.ts';
import { command } from './command.ts';
import { eventually, faultOf, openWorld, type Dapp, type World } from './world.ts';

const people = [[1, 'Ana', 52_000], [2, 'Bob', 48_500], [3, 'Eve', 61_250]] as const;

describe('e2e: a market for decryption', () => {
  let world: World;
  let dapp: Dapp;
  let picolo: Picolo;
  let db: Database;
  let buyer: Wallet;
  let seller: string;
  let purse: string;

  before(async () => {
    world = await openWorld();
    dapp = await world.order();
    picolo = await world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: parseEther('0.1') } });
    const schema = 'CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, income BLOB NOT NULL)';
    db = await picolo.createDatabase({ group: dapp.group, name: 'people', schema });
    const random = Wallet.createRandom();
    buyer = new Wallet(random.privateKey);
    await fund(world.chain, addressFrom(buyer.address), '10', '0');
    seller = join(world.dir, 'seller.json');
    purse = join(world.dir, 'buyer.json');
  });

  after(() => world?.close());

  /** `picolo market …` as one of the two. */
  const market = <T>(who: 'seller' | 'buyer', args: readonly string[]): Promise<T> => {
    const { rpcUrl, deployment } = world.chain;
    const key = who === 'seller' ? dapp.key : buyer.privateKey;
    return command<T>(['market', ...args, '--rpc', rpcUrl, '--deployment', deployment, '--key', key]);
  };
  const reading = (): string[] => ['--url', world.providers[0]?.apiUrl ?? '', '--channel', dapp.channel];
  const policy = (): string[] => ['--database', db.id, '--table', 'people', '--column', 'income', '--note', 'yearly'];
  const list = (): Promise<{ listing: string }> => market('seller', ['list', ...policy(), '--price', '0.1', '--bond', '0.05', '--purchases', '2', '--keys', seller]);
  const balance = async (address: string): Promise<bigint> => (await world.network(dapp.key)).provider.getBalance(address);

  it('P-3.2-role-data-provider: sealed rows are stored and proven like any others, and say nothing without the key', async () => {
    const rows = join(world.dir, 'people.jsonl');
    writeFileSync(rows, people.map(([id, name, income]) => JSON.stringify({ id, name, income })).join('\n'));
    const done = await market<{ rows: number }>('seller', [
      'seal', ...reading(), '--database', db.id, '--table', 'people', '--column', 'income', '--rows', rows, '--keys', seller,
    ]);
    expect(done.rows).to.equal(3);
    expect(statSync(seller).mode & 0o077).to.equal(0);
    const { row, writer } = await eventually('the certified row', async () => {
      const found = await db.get('people', 2);
      return found.row === null ? undefined : found;
    });
    expect(row?.['name']).to.equal('Bob');
    expect(row?.['income']).to.be.instanceOf(Uint8Array);
    expect(hexOf(row?.['income'] as Uint8Array)).not.to.contain(BigInt(48_500).toString(16));
    expect(writer).to.equal(addressFrom(new Wallet(dapp.key).address));
  });

  it('P-3.2-role-data-provider: a buyer pays, gets the key and decrypts rows that it proved; the provider is paid', async () => {
    const { listing } = await list();
    const { purchase } = await market<{ purchase: string }>('buyer', ['buy', '--listing', listing, '--keys', purse]);
    expect(await market<unknown[]>('seller', ['deliver', '--listing', listing, '--keys', seller])).to.have.length(1);
    const opened = await market<Record<string, unknown>[]>('buyer', ['open', ...reading(), ...policy(), '--purchase', purchase, '--keys', purse]);
    expect(opened).to.deep.equal(people.map(([id, name, income]) => ({ id, name, income })));
    const early = await faultOf(market('buyer', ['complain', '--purchase', purchase, '--keys', purse]));
    expect(early.code).to.equal('MARKET_KEY_IS_CORRECT');
    const provider = new Wallet(dapp.key).address;
    const before = await balance(provider);
    await market('buyer', ['settle', '--purchase', purchase]);
    expect((await balance(provider)) - before).to.equal(parseEther('0.1'));
    await market('buyer', ['rate', '--purchase', purchase, '--stars', '5']);
    const [shown] = await market<{ open: boolean; purchases: { state: string }[] }[]>('buyer', ['show', '--listing', listing]);
    expect([shown?.open, shown?.purchases[0]?.state]).to.deep.equal([true, 'settled']);
  });

  it('a provider that delivers another key loses its bond to the buyer, without anybody judging', async () => {
    const { listing } = await list();
    const { purchase } = await market<{ purchase: string }>('buyer', ['buy', '--listing', listing, '--keys', purse]);
    const honest = JSON.parse(readFileSync(seller, 'utf8')) as Record<string, unknown>;
    const cheating = join(world.dir, 'cheating.json');
    writeFileSync(cheating, JSON.stringify({ ...honest, dataKey: `0x${'c4'.repeat(32)}` }), { mode: 0o600 });
    await market('seller', ['deliver', '--listing', listing, '--keys', cheating]);
    const opening = market('buyer', ['open', ...reading(), ...policy(), '--purchase', purchase, '--keys', purse]);
    expect((await faultOf(opening)).code).to.equal('MARKET_WRONG_KEY');
    const before = await balance(buyer.address);
    const { backWei } = await market<{ backWei: string }>('buyer', ['complain', '--purchase', purchase, '--keys', purse]);
    expect(backWei).to.equal(String(parseEther('0.15')));
    const gained = (await balance(buyer.address)) - before;
    expect(gained > parseEther('0.149') && gained < parseEther('0.15')).to.equal(true); // less the fee of the transaction
    const [shown] = await market<{ poolWei: string; purchases: { state: string }[] }[]>('buyer', ['show', '--listing', listing]);
    expect([shown?.poolWei, shown?.purchases[0]?.state]).to.deep.equal([String(parseEther('0.05')), 'convicted']);
  });
});
