import { expect } from 'chai';
import { Interface, Wallet } from 'ethers';
import { keccak256 } from '../../../protocol/crypto/index.ts';
import { bytesOf, concatBytes, hexOf, type Hex } from '../../../protocol/types/index.ts';
import { connect, isPicoloError } from '../../../sdk/index.ts';
import { listen, type RunningNodes } from './nodes.ts';
import { World } from './world.ts';

// the two views and the event of ClusterRegistry, encoded by ethers: an independent second opinion
const registry = new Interface([
  'function groupOf(bytes32) view returns (tuple(address owner, uint64 epoch, uint24 gib, bool open))',
  'function membership(bytes32, uint64) view returns (tuple(uint192 roster, uint40 endedAt, uint8 size, uint8 convicted) record, address consumer)',
  'event EpochStarted(bytes32 indexed group, uint64 epoch, bytes roster)',
]);
const RPC = 'http://chain.test';

describe('sdk: the chain as root of trust', () => {
  let world: World;
  let nodes: RunningNodes;
  let digest: bigint;
  let epoch: bigint;
  let logs: unknown[];

  before(async () => {
    world = new World();
    nodes = await listen(world);
  });
  after(async () => nodes.close());
  beforeEach(() => {
    digest = BigInt(hexOf(keccak256(concatBytes(...world.roster.replicas.map(bytesOf))))) & ((1n << 192n) - 1n);
    epoch = 1n;
    logs = [];
  });

  async function fetcher(url: string, init: RequestInit): Promise<Response> {
    if (!url.startsWith(RPC)) return fetch(url, init);
    const { id, method, params } = JSON.parse(String(init.body)) as { id: number; method: string; params: any[] };
    return Response.json({ jsonrpc: '2.0', id, result: answer(method, params) });
  }

  function answer(method: string, params: any[]): unknown {
    if (method === 'eth_chainId') return '0x7a69';
    if (method === 'eth_getLogs') return logs;
    const owner = world.roster.replicas[0] as string;
    const call = registry.parseTransaction({ data: params[0].data as Hex });
    if (call?.name === 'groupOf') return registry.encodeFunctionResult('groupOf', [[owner, call.args[0] === world.group ? epoch : 0n, 10, true]]);
    return registry.encodeFunctionResult('membership', [[call?.args[1] === 1n ? digest : 0n, 0, call?.args[1] === 1n ? 4 : 0, 0], owner]);
  }

  const deployment = { StakeVault: { address: '0x00000000000000000000000000000000000000AA' }, ClusterRegistry: `0x${'cc'.repeat(20)}` };
  const chain = { rpcUrl: RPC, deployment };
  const wallet = Wallet.createRandom();

  async function codeOf(promise: Promise<unknown>): Promise<string> {
    return promise.then(() => 'none', (error: unknown) => (isPicoloError(error) ? error.code : String(error)));
  }

  it('believes rosters that hash to what the registry holds', async () => {
    const picolo = await connect(nodes.urls, { wallet, chain, fetch: fetcher });
    expect(picolo.trust).to.equal('chain');
    expect(picolo.address).to.equal(wallet.address.toLowerCase());
    const db = await picolo.createDatabase({ name: 'on chain', schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY)' });
    await db.sql`INSERT INTO t (id) VALUES (1)`;
    expect((await db.get('t', 1)).row).to.deep.equal({ id: 1 });
  });

  it('refuses a roster that the nodes made up, and finds the true one in the events', async () => {
    digest ^= 1n;
    const picolo = await connect(nodes.urls, { wallet, chain, fetch: fetcher });
    expect(await codeOf(picolo.createDatabase({ name: 'forged' }))).to.equal('SDK_UNKNOWN_ROSTER');
    const others = Array.from({ length: 4 }, (_, i) => `0x${(i + 1).toString(16).padStart(40, '0')}` as Hex);
    digest = BigInt(hexOf(keccak256(concatBytes(...others.map(bytesOf))))) & ((1n << 192n) - 1n);
    logs = [registry.encodeEventLog('EpochStarted', [world.group, 1n, hexOf(concatBytes(...others.map(bytesOf)))])];
    const second = await connect(nodes.urls, { wallet, chain, fetch: fetcher });
    // the true roster has other members: what these nodes sign proves nothing any more
    expect(await codeOf(second.createDatabase({ name: 'strangers' }))).to.equal('SDK_BAD_RECEIPT');
  });

  it('goes on with the roster it knows while the chain is down, for ten minutes', async () => {
    let down = false;
    const picolo = await connect(nodes.urls, {
      wallet, chain, fetch: (url, init) => (down && url.startsWith(RPC) ? Promise.reject(new TypeError('fetch failed')) : fetcher(url, init)),
    });
    const db = await picolo.createDatabase({ group: world.group, name: 'd', schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY)' });
    const now = Date.now.bind(Date);
    down = true;
    try {
      Date.now = () => now() + 60_000;
      expect((await db.get('t', 1)).row).to.equal(null);
      Date.now = () => now() + 700_000;
      expect(await codeOf(db.get('t', 1))).to.equal('SDK_CHAIN_RPC');
    } finally {
      Date.now = now;
    }
  });

  it('refuses nodes of another network, unknown groups and missing contracts', async () => {
    const elsewhere = { rpcUrl: RPC, deployment: { ...deployment, StakeVault: `0x${'ab'.repeat(20)}` } };
    expect(await codeOf(connect(nodes.urls, { chain: elsewhere, fetch: fetcher }))).to.equal('SDK_OTHER_CHAIN');
    expect(await codeOf(connect(nodes.urls, { chain: { rpcUrl: RPC, deployment: {} }, fetch: fetcher }))).to.equal('SDK_NOT_DEPLOYED');
    expect(await codeOf(connect(nodes.urls, { chain: { rpcUrl: 'http://127.0.0.1:1', deployment }, fetch: fetch }))).to.equal('SDK_CHAIN_RPC');
    epoch = 0n;
    const picolo = await connect(nodes.urls, { wallet, chain, fetch: fetcher });
    expect(await codeOf(picolo.createDatabase({ name: 'nowhere' }))).to.equal('SDK_UNKNOWN_ROSTER');
  });

  it('signs with a key, an ethers wallet without a key at hand, or a browser wallet, alike', async () => {
    const signer = { getAddress: () => wallet.address, signTypedData: wallet.signTypedData.bind(wallet) as never };
    const provider = {
      address: wallet.address,
      request: async ({ params }: { method: string; params: unknown[] }) => {
        const { domain, types: { EIP712Domain: _domain, ...types }, message } = JSON.parse(params[1] as string) as any;
        const signature = await wallet.signTypedData(domain, types, message);
        return signature.replace(/1b$/, '00').replace(/1c$/, '01'); // some wallets count v from zero
      },
    };
    for (const input of [wallet.privateKey, signer, provider]) {
      const picolo = await connect(nodes.urls, { wallet: input });
      const db = await picolo.createDatabase({ name: 'signed', schema: 'CREATE TABLE t (id INTEGER PRIMARY KEY)' });
      expect((await db.table('t').insert({ id: 1 })).receipt?.outcome).to.equal('applied');
    }
    const forger = { getAddress: () => wallet.address, signTypedData: async () => `0x${'11'.repeat(64)}1b` };
    expect(await codeOf((await connect(nodes.urls, { wallet: forger })).createDatabase({ name: 'forged' }))).to.equal('SDK_BAD_WALLET');
    expect(await codeOf(connect(nodes.urls, { wallet: '0x12' }))).to.equal('SDK_BAD_WALLET');
  });
});
