import { expect } from 'chai';
import { Contract, ContractFactory, parseEther, Wallet, type ContractTransactionResponse, type InterfaceAbi } from 'ethers';
import { encodeArgs, rowQuestion, encodeQuestion } from '../../protocol/oracle/index.ts';
import { bytesOf, hexOf, type Address, type GroupId, type Hex } from '../../protocol/types/index.ts';
import type { Database, Picolo } from '../../sdk/index.ts';
import type { Network } from '../../sdk/operator/index.ts';
import { compiledContract } from '../../scripts/compiled.ts';
import { command } from './command.ts';
import { expectRefusal, post } from './raw.ts';
import { eventually, openWorld, type Dapp, type World } from './world.ts';

const SQL = 'SELECT CAST(AVG(points) AS INTEGER) FROM scores WHERE points > ?';
const ccip = { enableCcipRead: true };

describe('e2e: a contract that keeps its state in Picolo', () => {
  let world: World;
  let dapp: Dapp;
  let picolo: Picolo;
  let network: Network;
  let db: Database;
  let board: Contract;
  let me: Address;

  before(async () => {
    world = await openWorld();
    dapp = await world.order();
    picolo = await world.connect({ key: dapp.key, payment: { channel: dapp.channel, limitWei: parseEther('0.1') } });
    network = await world.network(dapp.key);
    me = network.account;
    const schema = 'CREATE TABLE scores (player BLOB PRIMARY KEY, points INTEGER NOT NULL, name TEXT NOT NULL)';
    db = await picolo.createDatabase({ group: dapp.group, name: 'scores', schema });
    const compiled = compiledContract('samples/ScoreBoard');
    const abi = compiled.abi as InterfaceAbi;
    const urls = world.providers.map(({ apiUrl }) => `${apiUrl}/v1/lookup`);
    const made = await new ContractFactory(abi, compiled.bytecode, network.wallet)
      .deploy(network.address('CheckpointAnchor'), network.address('QueryOracle'), dapp.group, db.id, urls);
    await made.waitForDeployment();
    board = new Contract(await made.getAddress(), abi, network.wallet);
  });

  after(() => world?.close());

  const send = async (method: string, ...args: readonly unknown[]): Promise<void> => {
    await ((await board.getFunction(method)(...args)) as ContractTransactionResponse).wait();
  };
  const oracle = <T>(args: readonly string[]): Promise<T> => {
    const { rpcUrl, deployment } = world.chain;
    return command<T>(['oracle', ...args, '--rpc', rpcUrl, '--deployment', deployment, '--key', dapp.key]);
  };
  const reading = (): string[] => ['--url', world.providers[0]?.apiUrl ?? '', '--channel', dapp.channel];

  /** The keeper of the table: what the contract's events say becomes rows. */
  const keep = async (): Promise<void> => {
    const events = await board.queryFilter(board.filters['Scored']!());
    for (const event of events) {
      const { player, points, name } = (event as unknown as { args: { player: string; points: bigint; name: string } }).args;
      await db.table('scores').put({ player: bytesOf(player.toLowerCase() as Hex), points, name });
    }
  };

  it('P-6.4-offchain: scores go to Picolo by an event and come back to a view, proven', async () => {
    await send('play', 120n, 'Ana');
    await keep();
    for (const [i, points] of [40n, 80n, 7n].entries()) {
      await db.table('scores').put({ player: new Uint8Array(20).fill(i + 1), points, name: `player ${i}` });
    }
    const [points, name] = await eventually('the certified row', async () => {
      const found = (await board.getFunction('scoreOf')(me, ccip)) as [bigint, string];
      return found[0] === 120n ? found : undefined;
    });
    expect([points, name]).to.deep.equal([120n, 'Ana']);
    const [nothing] = (await board.getFunction('scoreOf')(Wallet.createRandom().address, ccip)) as [bigint, string];
    expect(nothing).to.equal(0n);
  });

  it('P-A-sql-in-contract: COUNT, SUM, MIN and MAX reach a contract with proofs', async () => {
    await eventually('four certified rows', async () => ((await board.getFunction('players')(ccip)) === 4n ? true : undefined));
    const totals = (await board.getFunction('totals')(ccip)) as bigint[];
    expect([...totals]).to.deep.equal([247n, 7n, 120n]);
  });

  it('a gateway cannot lie: another answer is refused by the contract, other questions by the node', async () => {
    const api = world.providers[1]?.apiUrl ?? '';
    const place = { group: dapp.group as GroupId, database: db.id, table: 'scores' };
    const ask = (key: Uint8Array): ReturnType<typeof post> => post(`${api}/v1/lookup`, JSON.stringify({ sender: me, data: encodeQuestion(rowQuestion(place, [key])) }));
    const other = (await ask(new Uint8Array(20).fill(2))).body['data'] as Hex;
    const refused = await board.getFunction('claim').staticCall(other).then(() => 'taken', (error: { revert?: { name: string } }) => error.revert?.name);
    expect(refused).to.not.equal('taken');
    expectRefusal(await post(`${api}/v1/lookup`, JSON.stringify({ sender: me, data: `0x${'07'.repeat(129)}` })), 'ORACLE_MALFORMED');
    expectRefusal(await post(`${api}/v1/lookup`, JSON.stringify({ sender: me, data: '0x00' })), 'ORACLE_MALFORMED');
    const foreign = encodeQuestion(rowQuestion({ ...place, group: `0x${'ab'.repeat(32)}` as GroupId }, [1n]));
    expectRefusal(await post(`${api}/v1/lookup`, JSON.stringify({ sender: me, data: foreign })), 'API_UNKNOWN_GROUP');
  });

  it('P-6.4-offchain: a prize is claimed with the proof in the transaction, and by an anchored checkpoint', async () => {
    const anchored = await oracle<{ height: string; gasUsed: string }>(['anchor', ...reading(), '--group', dapp.group]);
    expect(Number(anchored.height)).to.be.greaterThan(0);
    const newest = await network.contract('CheckpointAnchor').getFunction('newest')(dapp.group);
    expect(String(newest.height)).to.equal(anchored.height);
    const data = encodeQuestion(rowQuestion({ group: dapp.group as GroupId, database: db.id, table: 'scores' }, [bytesOf(me)]));
    const { body } = await post(`${world.providers[2]?.apiUrl}/v1/lookup`, JSON.stringify({ sender: me, data }));
    await send('claim', body['data']);
    expect(await board.getFunction('claimed')(me)).to.equal(true);
  });

  it('P-A-sql-in-contract: a contract requests a statement, a quorum signs, the callback stores the result and the bringer is paid', async () => {
    const statement = ['--database', db.id, '--sql', SQL];
    const { statement: id } = await oracle<{ statement: Hex }>(['register', ...statement, '--group', dapp.group]);
    await send('askAverage', id, hexOf(encodeArgs([10n])), { value: parseEther('0.01') });
    const [request] = await oracle<{ request: Hex; feeWei: string }[]>(['requests', '--group', dapp.group]);
    expect(request?.feeWei).to.equal(String(parseEther('0.01')));
    const done = await oracle<{ request: Hex }>(['fulfil', ...reading(), ...statement, '--request', request?.request ?? '', '--param', '10']);
    expect(done.request).to.equal(request?.request);
    expect(await board.getFunction('average')()).to.equal(80n);
    expect(await oracle<unknown[]>(['requests', '--group', dapp.group])).to.deep.equal([]);
    expect(await network.provider.getBalance(network.address('QueryOracle'))).to.equal(0n);
  });
});
