import type { Contract, TransactionResponse } from 'ethers';
import { sha256, sha256Hex } from '../../protocol/crypto/index.ts';
import { packSigners } from '../../protocol/membership/index.ts';
import { complaintOf, hideKey, buyerKeyOf, keyCommitOf, listingIdOf, pointOf, purchaseIdOf, termsWords, type Terms } from '../../protocol/market/index.ts';
import { encodeArgs, encodeResult, packRowAnswer, rowQuestion, statementIdOf, type AnswerState } from '../../protocol/oracle/index.ts';
import { addressFrom, bytesOf, concatBytes, hexOf, uintBytes, ZERO_ADDRESS, type Address, type DatabaseId, type Hash32, type Hex } from '../../protocol/types/index.ts';
import { h, type Place } from './cases.ts';
import { checkpointOf, packed, rosterAt, Tables } from './oracle-cases.ts';
import { syntheticProof } from './synthetic.ts';
import { deployed, ethers, groupOf, hash, helpers, now, send, sign, type World } from './world.ts';

export type Note = (name: string, sent: Promise<TransactionResponse>) => Promise<void>;
type Deployed = Awaited<ReturnType<typeof deployed>>;
const LEVELS = 20; // a million rows
const deploy = async (name: string, args: readonly unknown[] = []): Promise<Contract> => (await ethers.deployContract(name, [...args])) as unknown as Contract;

/** First use of a group's two places, then what every later anchor costs. */
export async function anchorJourney(note: Note, world: Deployed): Promise<void> {
  for (const [size, first] of [[4, 1], [7, 40]] as const) {
    const fresh = size === 4 ? world : await deployed(); // the consumer's cluster has one salt
    const place: Place = { world: fresh, group: await groupOf(fresh, size, first), epoch: 1n };
    for (const [i, name] of ['first', 'second', 'again'].entries()) {
      const certificate = packed(place, checkpointOf(place, h(`root ${i}`), { height: 40n + BigInt(i) }));
      const sent = send(fresh.c.CheckpointAnchor, fresh.watcher, 'anchor', place.group.group, certificate);
      await (name === 'second' ? sent : note(`CheckpointAnchor.anchor ${place.group.roster.length - Math.floor((size - 1) / 3)} of ${size}, ${name}`, sent));
      await helpers.time.increase(300n);
    }
    if (size === 4) await stateJourney(note, place);
  }
}

/** A contract's state in Picolo beside the same state on chain. */
async function stateJourney(note: Note, place: Place): Promise<void> {
  const { world } = place;
  const database = h('a database') as DatabaseId;
  const { group } = place.group;
  const [anchors, oracle] = [await world.c.CheckpointAnchor.getAddress(), await world.c.QueryOracle.getAddress()];
  const board = await deploy('ScoreBoard', [anchors, oracle, group, database, ['http://127.0.0.1:1/v1/lookup']]);
  const onChain = await deploy('ScoreBoardOnChain');
  const name = 'a name that people would take, and not too short';
  const [certified, anchored] = [world.others[11]!, world.others[12]!];
  await note('ScoreBoard.play, state in Picolo', send(board, certified, 'play', 120n, name));
  await note('ScoreBoard.play, state on chain', send(onChain, certified, 'play', 120n, name));
  const closedMs = Number(await now()) * 1000;
  const answerFor = async (player: Address, state: (root: Hash32) => Promise<AnswerState> | AnswerState): Promise<Hex> => {
    const row = new Tables().put(database, 'scores', [bytesOf(player)], [bytesOf(player), 120n, name]);
    const { root, proof } = syntheticProof(row.path, row.rowHash, LEVELS);
    return hexOf(packRowAnswer(await state(root), rowQuestion({ group, database, table: 'scores' }, row.key), proof, row));
  };
  const first = await answerFor(addressFrom(await certified.getAddress()), (root) => (
    { kind: 'certified', roster: rosterAt(place), certified: checkpointOf(place, root, { closedMs }) }));
  await note('ScoreBoard.claim, certified 3 of 4, 2^20 rows', send(board, certified, 'claim', first));
  const second = await answerFor(addressFrom(await anchored.getAddress()), async (root) => {
    await send(world.c.CheckpointAnchor, world.watcher, 'anchor', group, packed(place, checkpointOf(place, root, { height: 60n, closedMs })));
    return { kind: 'anchored', height: 60n };
  });
  await note('ScoreBoard.claim, anchored, 2^20 rows', send(board, anchored, 'claim', second));
  await note('ScoreBoard.claim, state on chain', send(onChain, certified, 'claim'));
}

export async function oracleJourney(note: Note, world: Deployed): Promise<void> {
  const place: Place = { world, group: await groupOf(world, 4, 1), epoch: 1n };
  const { group } = place.group;
  const oracle = world.c.QueryOracle;
  const board = await deploy('ScoreBoard', [await world.c.CheckpointAnchor.getAddress(), await oracle.getAddress(), group, hash(1), []]);
  const statement = statementIdOf(hash(1), 'SELECT SUM(points) FROM scores');
  const args = encodeArgs([]);
  await note('QueryOracle.register', send(oracle, world.admin, 'register', group, statement));
  await note('QueryOracle.request, by a contract', send(board, world.watcher, 'askAverage', statement, hexOf(args), { value: 1_000n }));
  const [log] = await oracle.queryFilter(oracle.filters['Requested']!());
  const { request, fields } = (log as unknown as { args: { request: Hash32; fields: readonly unknown[] } }).args;
  const bytes = encodeResult(['sum'], [[4_200n]]);
  const payee = addressFrom(await world.watcher.getAddress());
  const snapshot = (await now() + 60n) * 1000n << 48n;
  const result = { group, epoch: 1n, request, statement, args: sha256Hex(args), snapshot, resultHash: sha256Hex(bytes), payee };
  const signatures = [0, 1, 2].map((replica) => ({ replica, signature: sign(world, place.group.members[replica]!, 'OracleResult', result) }));
  const certificate = hexOf(concatBytes(uintBytes(1n, 8), packSigners(rosterAt(place), signatures)));
  await note('QueryOracle.fulfil 3 of 4, callback and fee', send(oracle, world.watcher, 'fulfil', [...fields], snapshot, payee, hexOf(bytes), certificate));
}

export async function marketJourney(note: Note, world: World): Promise<void> {
  const { DataMarket: market, PintToken: pint } = world.c;
  const [provider, buyer] = [world.watcher, world.consumer];
  const secretOf = (n: number): Uint8Array => sha256(uintBytes(n, 4));
  const key = bytesOf(h('key'));
  for (const account of [provider, buyer]) {
    await send(pint, world.admin, 'transfer', await account.getAddress(), 10n ** 20n);
    await send(pint, account, 'approve', await market.getAddress(), ethers.MaxUint256);
  }
  const point = pointOf(secretOf(1));
  for (const [kind, token] of [['ether', ZERO_ADDRESS], ['token', addressFrom(await pint.getAddress())]] as const) {
    const terms: Terms = {
      provider: addressFrom(await provider.getAddress()), token, priceWei: 10n ** 15n, bondWei: 10n ** 15n, keyCommit: keyCommitOf(key),
      policy: h('policy'), point, salt: hash(1),
    };
    const row = termsWords(terms);
    const listing = listingIdOf(31337n, addressFrom(await market.getAddress()), terms);
    const pay = (value: bigint): readonly unknown[] => (kind === 'ether' ? [{ value }] : []);
    await note(`DataMarket.list ${kind}`, send(market, provider, 'list', row, 10n ** 16n, ...pay(10n ** 16n)));
    for (const [i, ending] of ['settle', 'complain'].entries()) {
      const secret = secretOf(10 + i);
      const { x, y } = pointOf(secret);
      const purchase = purchaseIdOf(listing, buyerKeyOf(secret));
      const bought = send(market, buyer, 'buy', row, x, y, 10n ** 15n, ...pay(10n ** 15n));
      await (ending === 'settle' ? note(`DataMarket.buy ${kind}`, bought) : bought);
      const cipher = hideKey(ending === 'settle' ? key : secretOf(99), secretOf(1), pointOf(secret), purchase);
      const delivered = send(market, provider, 'deliver', row, buyerKeyOf(secret), cipher);
      await (ending === 'settle' && kind === 'ether' ? note('DataMarket.deliver', delivered) : delivered);
      if (ending === 'settle') {
        await note(`DataMarket.settle ${kind}`, send(market, buyer, 'settle', row, buyerKeyOf(secret)));
        continue;
      }
      const { secret: scalar, sharedX, sharedY } = complaintOf(secret, point);
      await note(`DataMarket.complain ${kind}`, send(market, buyer, 'complain', row, scalar, sharedX, sharedY));
    }
  }
}
