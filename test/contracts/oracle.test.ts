import { expect } from 'chai';
import type { Contract } from 'ethers';
import type { StructValue } from '../../protocol/codec/index.ts';
import { sha256Hex } from '../../protocol/crypto/index.ts';
import { packSigners } from '../../protocol/membership/index.ts';
import { encodeArgs, encodeResult, fulfilmentOf, statementIdOf } from '../../protocol/oracle/index.ts';
import { addressFrom, concatBytes, hexOf, uintBytes, type Address, type DatabaseId, type Hash32, type Hex } from '../../protocol/types/index.ts';
import { h } from './cases.ts';
import { HOUR, read, refused, rosterAt, stage, type Stage } from './oracle-cases.ts';
import { DAY, ethers, hash, helpers, now, send, sign } from './world.ts';

describe('QueryOracle', () => {
  const database = h('a database') as DatabaseId;
  const statement = statementIdOf(database, 'SELECT AVG(points) FROM scores WHERE points > ?');
  const args = encodeArgs([10n]);
  const bytes = encodeResult(['avg'], [[42n]]);
  const snapshot = 1_800_000_000_000n << 48n;
  const payee = `0x${'fe'.repeat(20)}` as Address;
  const fee = 5_000n;

  interface Oracle extends Stage {
    readonly oracle: Contract;
    readonly consumer: Contract;
    /** The open request as the contract's struct. */
    readonly fields: readonly unknown[];
    readonly id: Hash32;
    readonly expiresAt: bigint;
  }

  async function openOracle(callbackGas = 200_000n): Promise<Oracle> {
    const s = await stage();
    const oracle = s.world.c.QueryOracle;
    const consumer = (await ethers.deployContract('OddConsumer', [await oracle.getAddress()])) as unknown as Contract;
    await send(oracle, s.world.admin, 'register', s.place.group.group, statement);
    const expiresAt = (await now()) + HOUR;
    const request = ask(s, consumer, hash(1), expiresAt, callbackGas);
    await request;
    const fields = [await consumer.getAddress(), hash(1), s.place.group.group, statement, sha256Hex(args), 0n, expiresAt, callbackGas, fee];
    return { ...s, oracle, consumer, fields, expiresAt, id: (await read(oracle, 'requestId', fields)) as Hash32 };
  }
  const ask = (s: Stage, consumer: Contract, salt: Hash32, expiresAt: bigint, callbackGas = 200_000n): ReturnType<typeof send> =>
    send(consumer, s.world.admin, 'ask', salt, s.place.group.group, statement, hexOf(args), expiresAt, callbackGas, { value: fee });

  const resultOf = (o: Oracle, change: Partial<StructValue<'OracleResult'>> = {}): StructValue<'OracleResult'> => ({
    group: o.place.group.group, epoch: 1n, request: o.id, statement, args: sha256Hex(args), snapshot, resultHash: sha256Hex(bytes), payee, ...change,
  });
  const signedBy = (o: Oracle, replicas: readonly number[], change: Partial<StructValue<'OracleResult'>> = {}) => replicas.map((replica) => {
    const result = resultOf(o, change);
    return { result, signature: sign(o.world, o.place.group.members[replica]!, 'OracleResult', result), bytes };
  });
  const certificateOf = (o: Oracle, replicas: readonly number[], change: Partial<StructValue<'OracleResult'>> = {}): Hex => hexOf(concatBytes(
    uintBytes(1n, 8), packSigners(rosterAt(o.place), signedBy(o, replicas, change).map(({ signature }, i) => ({ replica: replicas[i]!, signature }))),
  ));
  const fulfil = (o: Oracle, certificate = certificateOf(o, [0, 1, 2]), { at = snapshot, to = payee, data = bytes, gas = 1_500_000n } = {}): ReturnType<typeof send> =>
    send(o.oracle, o.world.watcher, 'fulfil', o.fields, at, to, hexOf(data), certificate, { gasLimit: gas });

  it('P-A-sql-in-contract: a quorum\'s result reaches the consumer, and its bringer\'s payee gets the fee', async () => {
    const o = await openOracle();
    const { certificate, result } = fulfilmentOf(o.world.domain, rosterAt(o.place), { request: o.id, payee }, signedBy(o, [3, 1, 0, 2]));
    expect(result).to.deep.equal(resultOf(o));
    await expect(fulfil(o, certificate)).to.changeEtherBalance(ethers, payee, fee);
    expect(await read(o.consumer, 'last')).to.equal(o.id);
    expect(await read(o.consumer, 'result')).to.equal(hexOf(bytes));
    expect(await read(o.consumer, 'snapshot')).to.equal(snapshot);
    expect(await read(o.oracle, 'stateOf', o.id)).to.equal(2n);
  });

  it('fewer than N - f, another result, payee, request, snapshot or parameters: nothing is paid', async () => {
    const o = await openOracle();
    await refused(o.oracle, fulfil(o, certificateOf(o, [0, 1])), 'NoQuorum');
    const changes: Partial<StructValue<'OracleResult'>>[] = [
      { resultHash: h('other') }, { payee: `0x${'01'.repeat(20)}` as Address }, { request: h('other') }, { snapshot: snapshot + 1n },
      { args: h('other') }, { statement: h('other') }, { group: h('other') },
    ];
    for (const change of changes) await refused(o.oracle, fulfil(o, certificateOf(o, [0, 1, 2], change)), 'NotSigned');
    await refused(o.oracle, fulfil(o, undefined, { data: encodeResult(['avg'], [[43n]]) }), 'NotSigned');
    await refused(o.oracle, fulfil(o, undefined, { at: snapshot + 1n }), 'NotSigned');
    await refused(o.oracle, fulfil(o, `${certificateOf(o, [0, 1, 2])}00`), 'WrongLength');
  });

  it('evidence stealing (all permissionless designs): a copied transaction pays the payee whom the replicas signed for', async () => {
    const o = await openOracle();
    const thief = await o.world.others[5]!.getAddress();
    await refused(o.oracle, fulfil(o, undefined, { to: addressFrom(thief) }), 'NotSigned');
    await expect(send(o.oracle, o.world.others[5]!, 'fulfil', o.fields, snapshot, payee, hexOf(bytes), certificateOf(o, [0, 1, 2])))
      .to.changeEtherBalance(ethers, payee, fee);
  });

  it('replay of evidence (Graph follow-up): a request is paid once, and its result is worthless for any other', async () => {
    const o = await openOracle();
    const certificate = certificateOf(o, [0, 1, 2]);
    await fulfil(o, certificate);
    await refused(o.oracle, fulfil(o, certificate), 'WrongState');
    await refused(o.oracle, send(o.consumer, o.world.admin, 'giveUp', o.fields), 'WrongState');
    await refused(o.oracle, ask(o, o.consumer, hash(1), o.expiresAt), 'RequestExists');
    await ask(o, o.consumer, hash(2), o.expiresAt);
    const second = { ...o, fields: o.fields.map((field, i) => (i === 1 ? hash(2) : field)) };
    await refused(o.oracle, fulfil(second, certificate), 'NotSigned');
  });

  it('a callback that reverts, burns its gas or returns too much blocks no payment', async () => {
    for (const mood of [1, 2, 3]) {
      const o = await openOracle();
      await send(o.consumer, o.world.admin, 'setMood', mood, '0x');
      const sent = fulfil(o);
      if (mood === 3) await expect(sent).not.to.emit(o.oracle, 'CallbackFailed');
      else await expect(sent).to.emit(o.oracle, 'CallbackFailed').withArgs(o.id);
      expect(await ethers.provider.getBalance(await o.oracle.getAddress())).to.equal(0n);
    }
  });

  it('ERC-777 / hook reentrancy (Eigen H-01): a callback cannot be paid twice', async () => {
    const o = await openOracle(600_000n);
    const again = o.oracle.interface.encodeFunctionData('fulfil', [o.fields, snapshot, payee, hexOf(bytes), certificateOf(o, [0, 1, 2])]);
    await send(o.consumer, o.world.admin, 'setMood', 4, again);
    await expect(fulfil(o)).to.changeEtherBalance(ethers, payee, fee);
    expect(await read(o.consumer, 'reentered')).to.equal(false);
  });

  it('the bringer must leave the callback its gas', async () => {
    const o = await openOracle(800_000n);
    await refused(o.oracle, fulfil(o, undefined, { gas: 850_000n }), 'GasTooLow');
    await fulfil(o);
  });

  it('a payee that refuses ether is owed it', async () => {
    const o = await openOracle();
    const bad = addressFrom(await ((await ethers.deployContract('BadPayee')) as unknown as Contract).getAddress());
    await expect(fulfil(o, certificateOf(o, [1, 2, 3], { payee: bad }), { to: bad })).to.emit(o.oracle, 'PaymentOwed').withArgs(ethers.getAddress(bad), fee);
    expect(await read(o.consumer, 'last')).to.equal(o.id);
  });

  it('boundary seconds: fulfilled in its last second, taken back in the next, by the consumer alone', async () => {
    const o = await openOracle();
    await refused(o.oracle, send(o.consumer, o.world.admin, 'giveUp', o.fields), 'NotExpired');
    const snap = await helpers.takeSnapshot();
    await helpers.time.setNextBlockTimestamp(o.expiresAt);
    await fulfil(o);
    await snap.restore();
    await helpers.time.setNextBlockTimestamp(o.expiresAt + 1n);
    await refused(o.oracle, fulfil(o), 'Expired');
    await refused(o.oracle, send(o.oracle, o.world.watcher, 'cancel', o.fields), 'NotConsumer');
    await expect(send(o.consumer, o.world.admin, 'giveUp', o.fields)).to.changeEtherBalance(ethers, o.consumer, fee);
    await refused(o.oracle, fulfil(o), 'WrongState');
  });

  it('a request names a registered statement, and stays within its bounds', async () => {
    const o = await openOracle();
    const { group } = o.place.group;
    const request = (change: { s?: Hash32; a?: Hex; until?: bigint; gas?: bigint; g?: Hash32; fee?: bigint }): ReturnType<typeof send> => send(
      o.oracle, o.world.watcher, 'request', hash(3), change.g ?? group, change.s ?? statement, change.a ?? hexOf(args), 0n, change.until ?? o.expiresAt, change.gas ?? 0n,
      { value: change.fee ?? 0n },
    );
    await refused(o.oracle, request({ s: h('unknown') }), 'UnknownStatement');
    await refused(o.oracle, request({ g: h('unknown') }), 'UnknownStatement');
    await refused(o.oracle, request({ until: await now() }), 'BadExpiry');
    await refused(o.oracle, request({ until: (await now()) + 31n * DAY }), 'BadExpiry');
    await refused(o.oracle, request({ gas: 2_000_001n }), 'TooMuchGas');
    await refused(o.oracle, request({ a: hexOf(new Uint8Array(1_025)) }), 'ArgsTooLong');
    await helpers.setBalance(await o.world.watcher.getAddress(), 1n << 100n);
    await expect(request({ fee: 1n << 96n })).to.be.revertedWithCustomError(o.oracle, 'WrongFee').withArgs(1n << 96n);
    await expect(request({})).to.emit(o.oracle, 'Requested');
    await refused(o.oracle, fulfil(o, undefined, { data: new Uint8Array(4_097) }), 'ResultTooLong');
  });

  it('a result from before the wanted snapshot is stale', async () => {
    const o = await openOracle();
    const fields = [await o.world.watcher.getAddress(), hash(4), o.place.group.group, statement, sha256Hex(args), snapshot + 1n, o.expiresAt, 0n, 0n];
    await send(o.oracle, o.world.watcher, 'request', hash(4), o.place.group.group, statement, hexOf(args), snapshot + 1n, o.expiresAt, 0n);
    const id = (await read(o.oracle, 'requestId', fields)) as Hash32;
    const late = { ...o, fields, id };
    await refused(o.oracle, fulfil(late), 'StaleSnapshot');
    await fulfil(late, certificateOf(late, [0, 1, 2], { snapshot: snapshot + 1n }), { at: snapshot + 1n });
  });

  it('liars cannot make a quorum: results that differ, or are signed for something else, do not count', async () => {
    const o = await openOracle();
    const roster = rosterAt(o.place);
    const make = (...signed: ReturnType<typeof signedBy>[]): unknown => fulfilmentOf(o.world.domain, roster, { request: o.id, payee }, signed.flat());
    expect(() => make(signedBy(o, [0, 1]), signedBy(o, [2], { snapshot: snapshot + 1n }))).to.throw('ORACLE_NO_QUORUM');
    expect(() => make(signedBy(o, [0, 1]), signedBy(o, [2], { request: h('other') }))).to.throw('ORACLE_NO_QUORUM');
    expect(() => make(signedBy(o, [0, 1, 1, 0]))).to.throw('ORACLE_NO_QUORUM');
    expect(() => make(signedBy(o, [0, 1]), signedBy(o, [2]).map((one) => ({ ...one, bytes: encodeResult(['x'], []) })))).to.throw('ORACLE_NO_QUORUM');
    make(signedBy(o, [0, 1]), signedBy(o, [2], { snapshot: snapshot + 1n }), signedBy(o, [3]));
  });
});
