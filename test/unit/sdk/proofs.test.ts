import { expect } from 'chai';
import { decode } from '../../../protocol/codec/index.ts';
import { decodeReceipt, encodeReceipt, type FastReceipt } from '../../../protocol/consensus/index.ts';
import { decodeCall } from '../../../protocol/evidence/index.ts';
import { operations, type SubmitAnswer } from '../../../protocol/query/index.ts';
import { bytesOf, hexOf, type Hash32, type Hex } from '../../../protocol/types/index.ts';
import { databasePath, decodeTransaction, pathOf, schemaPath, type SignedTransaction } from '../../../protocol/rows/index.ts';
import { connect, isPicoloError, type Database, type Picolo } from '../../../sdk/index.ts';
import { provenReceipt } from '../../../sdk/write/receipt.ts';
import { listen, type Lies, type RunningNodes } from './nodes.ts';
import { collude, World } from './world.ts';

const OTHER = `0x${'12'.repeat(32)}` as Hash32;
const KEY = hexOf(new Uint8Array(32).fill(0x52));
const SCHEMA = 'CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT NOT NULL, price REAL); CREATE INDEX by_name ON item (name);'
  + 'CREATE TABLE part (kind TEXT, number INTEGER, PRIMARY KEY (kind, number))';

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    if (isPicoloError(error)) return error.code;
    throw error;
  }
}

describe('sdk: proofs and lies', () => {
  let world: World;
  let nodes: RunningNodes;
  let lies: Lies[];
  let picolo: Picolo;
  let db: Database;

  /** A new group whose nodes can be made to lie through `lies`. */
  beforeEach(async () => {
    world = new World();
    lies = [{}, {}, {}, {}];
    nodes = await listen(world, lies);
    picolo = await connect(nodes.urls, { wallet: KEY });
    db = await picolo.createDatabase({ name: 'shop', schema: SCHEMA });
    await db.table('item').insertMany([{ id: 1, name: 'lamp', price: 9.5 }, { id: 2, name: 'desk' }, { id: 3, name: 'chair' }, { id: -4, name: 'lamp' }]);
  });
  afterEach(async () => nodes.close());

  it('T-3.2-inclusion: a row by key is proven, with its writer', async () => {
    const { row, writer, assurance, proof, checkpoint } = await db.get('item', 1);
    expect(row).to.deep.equal({ id: 1, name: 'lamp', price: 9.5 });
    expect(writer).to.equal(picolo.address);
    expect(assurance).to.equal('proof');
    expect(proof.kind).to.equal('present');
    expect(checkpoint.stateRoot).to.equal(world.root.hash);
  });

  it('T-3.2-absence: a key that is not there is proven absent', async () => {
    const { row, writer, proof } = await db.get('item', 99);
    expect([row, writer, proof.kind]).to.deep.equal([null, null, 'absent']);
  });

  it('ranges are complete and in key order, also by prefix and by index; rows are counted without reading them', async () => {
    expect((await db.range('item')).map(({ id }) => id)).to.deep.equal([-4, 1, 2, 3]);
    expect((await db.range('item', -10, 2)).map(({ id }) => id)).to.deep.equal([-4, 1, 2]);
    const cut = await db.range('item', undefined, undefined, { limit: 2 });
    expect(cut.map(({ id }) => id)).to.deep.equal([-4, 1]);
    expect(cut.complete).to.equal(false);
    const parts = [['screw', 1], ['screw', 22], ['nail', 3], ['screws of a long kind', 1]] as const;
    await db.table('part').insertMany(parts.map(([kind, number]) => ({ kind, number })));
    expect([...await db.range('part', 'screw', 'screw')]).to.deep.equal([{ kind: 'screw', number: 1 }, { kind: 'screw', number: 22 }]);
    expect([...await db.range('part', ['screw', 2])]).to.have.length(2);
    expect([...await db.range('item', 'lamp', 'lamp', { index: 'by_name' })]).to.deep.equal([{ name: 'lamp', id: -4 }, { name: 'lamp', id: 1 }]);
    expect((await db.table('item').count()).rows).to.equal(4n);
  });

  it('P-1-poison-detect: a node whose rows were altered is found out, the honest answer is returned, the evidence kept', async () => {
    lies[0] = Object.assign(lies[0] as Lies, { alter: (row: never) => ({ ...(row as object), values: [1n, 'fake', null] }) });
    const { row } = await db.get('item', 1);
    expect(row).to.include({ name: 'lamp' });
    expect(picolo.lies).to.have.length(1);
    expect(picolo.lies[0]).to.include({ kind: 'own-root', node: world.roster.replicas[0] });
    const [call] = await picolo.evidence();
    expect(decodeCall(call?.call as never)).to.be.an('object');
  });

  it('a node that hides a row, or signs another state root, is found out', async () => {
    Object.assign(lies[0] as Lies, { alter: () => null });
    expect((await db.get('item', 2)).row).to.include({ name: 'desk' });
    expect(picolo.lies.map(({ kind }) => kind)).to.deep.equal(['own-root']);
    Object.assign(lies[1] as Lies, { stateRoot: `0x${'12'.repeat(32)}` as Hash32 });
    expect((await db.get('item', 3)).row).to.include({ name: 'chair' });
    expect(picolo.lies.map(({ kind }) => kind)).to.include('certificate');
    expect(await picolo.evidence()).to.have.length(picolo.lies.length);
  });

  it('a range with a row left out is refused and another node asked', async () => {
    const hidden = pathOf(db.id, 'item', '', [2n]);
    for (const i of [0, 1, 2]) Object.assign(lies[i] as Lies, { omit: (path: Hash32) => path === hidden });
    expect((await db.range('item')).map(({ id }) => id)).to.deep.equal([-4, 1, 2, 3]);
    Object.assign(lies[3] as Lies, { omit: (path: Hash32) => path === hidden });
    expect(await codeOf(db.range('item'))).to.equal('QUERY_BAD_PROOF');
  });

  it('a query that one node answers wrongly is outvoted, and the contradiction kept', async () => {
    Object.assign(lies[0] as Lies, { result: (answer: { rows: unknown[][] }) => { answer.rows = [[7n]]; } });
    const rows = await db.sql`SELECT count(*) AS n FROM item`;
    expect([...rows]).to.deep.equal([{ n: 4 }]);
    expect(picolo.lies[0]).to.have.property('kind', 'contradiction');
    expect(await picolo.evidence()).to.deep.equal([]);
    const alone = await db.query('SELECT count(*) AS n FROM item', [], { assurance: 'signed' });
    expect(alone.assurance).to.equal('signed');
    expect(alone.nodes).to.have.length(1);
  });

  it('never passes off one signature as a quorum', async () => {
    const only = nodes.urls[0] as string;
    const one = await connect(only, {
      wallet: KEY, fetch: (url, init) => (url.startsWith(only) ? fetch(url, init) : Promise.reject(new TypeError('down'))),
    });
    const alone = await one.database(db.id);
    expect(await codeOf(alone.sql`SELECT 1`)).to.equal('SDK_TOO_FEW_NODES');
    expect((await alone.get('item', 1)).row).to.include({ name: 'lamp' });
  });

  it('P-4.1.2-client-any-node: one stale and one live address work', async () => {
    const other = await connect(['http://127.0.0.1:1', nodes.urls[2] as string]);
    expect((await (await other.database(db.id)).get('item', 1)).row).to.include({ name: 'lamp' });
    expect(await codeOf(connect('http://127.0.0.1:1'))).to.equal('SDK_NO_NODE');
    expect(await codeOf(connect('ftp://example.org'))).to.equal('SDK_BAD_URL');
  });

  it('P-6.1-cpoq: honest nodes pass a challenge, a poisoned one is named with its evidence', async () => {
    const clean = await db.challenge({ count: 20 });
    expect(clean.verdicts.map(({ verdict }) => verdict)).to.deep.equal(['honest', 'honest', 'honest', 'honest']);
    expect(clean.verdicts[0]?.checked).to.equal(20);
    Object.assign(lies[2] as Lies, { alter: (row: { values: unknown[] | null }) => ({ ...row, values: row.values === null ? null : [...row.values, 0n] }) });
    const { verdicts } = await db.challenge({ count: 60 });
    expect(verdicts.find(({ url }) => url === nodes.urls[2])?.verdict).to.equal('lied');
    expect(verdicts.filter(({ verdict }) => verdict === 'honest')).to.have.length(3);
  });

  it('P-6.1-random-index: a node that shows another row than the one of the rank is named, with a report for the contract', async () => {
    Object.assign(lies[1] as Lies, { rank: (asked: bigint) => (asked === 0n ? 1n : 0n) });
    const client = await connect(nodes.urls, { wallet: KEY });
    const { verdicts } = await (await client.database(db.id)).challenge({ count: 5 });
    expect(verdicts.map(({ verdict }) => verdict)).to.deep.equal(['honest', 'lied', 'honest', 'honest']);
    expect(verdicts[1]?.lies.every((lie) => lie.kind === 'rank' && lie.node === world.roster.replicas[1])).to.equal(true);
    const calls = await client.evidence();
    expect(calls.map(({ offence }) => offence)).to.deep.equal(Array(5).fill('FalseAnswer'));
    const said = decodeCall(calls[0]?.call as never);
    expect(said).to.have.nested.property('answer.form.kind', 'rank');
  });

  it('T-4.3.6-complain: an audit names who lists another history, by a certificate the client met or one that another node shows', async () => {
    const honest = await db.audit();
    expect(honest.verdicts).to.have.length(4);
    expect(honest.verdicts.every(({ verdict, listed, checked }) => verdict === 'honest' && listed === 3 && checked >= 1)).to.equal(true);
    const auditor = await connect(nodes.urls, { wallet: KEY });
    const audited = await auditor.database(db.id); // met the certificate of this height
    await db.table('item').insert({ id: 9, name: 'shelf' });
    Object.assign(lies[2] as Lies, { history: (age: bigint) => (age === 1n ? OTHER : undefined) });
    Object.assign(lies[3] as Lies, { history: (age: bigint) => (age === 0n ? OTHER : undefined) });
    const { verdicts, lies: found } = await audited.audit();
    expect(verdicts.map(({ verdict }) => verdict)).to.deep.equal(['honest', 'honest', 'lied', 'lied']);
    expect(found.map((lie) => lie.kind === 'history' && lie.node)).to.deep.equal([world.roster.replicas[2], world.roster.replicas[3]]);
    const calls = await auditor.evidence();
    expect(calls.map(({ offence }) => offence)).to.deep.equal(['FalseHistory', 'FalseHistory']);
    expect(decodeCall(calls[0]?.call as never)).to.be.an('object');
  });

  it('an audit accuses nobody when no certificate of a disputed height is to be had', async () => {
    for (const i of [0, 1, 2, 3]) Object.assign(lies[i] as Lies, { forgets: true });
    Object.assign(lies[1] as Lies, { history: (age: bigint) => (age === 2n ? OTHER : undefined) });
    for (const id of [10, 11, 12]) await db.table('item').insert({ id, name: 'stool' });
    const audited = await (await connect(nodes.urls, { wallet: KEY })).database(db.id);
    const { verdicts, lies: found } = await audited.audit([...nodes.urls, 'http://127.0.0.1:1']);
    const said = verdicts.map(({ verdict, fault }) => `${verdict} ${fault}`);
    expect(said).to.deep.equal([...nodes.urls.map(() => 'unproven API_HISTORY_GONE'), 'silent SDK_NO_NODE']);
    expect(found).to.deep.equal([]);
  });

  it('P-6.1-cpoq: a cluster in which all collude is caught by one client alone', async () => {
    collude(world, pathOf(db.id, 'item', '', [1n]), [1n, 'stolen', null]);
    expect(await codeOf(db.get('item', 1))).to.equal('SDK_LIED');
    expect(picolo.lies[0]).to.have.property('kind', 'forged-row');
    const { verdicts } = await db.challenge({ count: 200 });
    expect(verdicts.map(({ verdict }) => verdict)).to.deep.equal(['lied', 'lied', 'lied', 'lied']);
  });

  it('a database cannot be exchanged: its id is the hash of what it is', async () => {
    const leaf = world.leaves.get(databasePath(db.id));
    collude(world, databasePath(db.id), (leaf?.content ?? []).map((value, i) => (i === 1 ? 'other' : value)));
    expect(await codeOf(picolo.database(db.id))).to.equal('SDK_BAD_REPLY');
    expect(schemaPath(db.id)).to.not.equal(databasePath(db.id));
  });

  it('P-6.1-cpoq-cost: pays when asked to, never more than the limit', async () => {
    for (const lie of lies) lie.paid = { wei: 0n };
    const channel = `0x${'cc'.repeat(32)}` as Hash32;
    const poor = await connect(nodes.urls, { wallet: KEY, payment: { channel, limitWei: 50n } });
    expect(await codeOf(poor.database(db.id).then((base) => base.get('item', 1)))).to.equal('PAYMENT_REQUIRED');
    expect(await codeOf(db.get('item', 1))).to.equal('PAYMENT_REQUIRED');
    const rich = await connect(nodes.urls, { wallet: KEY, payment: { channel, limitWei: 1000n, aheadWei: 20n } });
    expect((await (await rich.database(db.id)).get('item', 1)).row).to.include({ name: 'lamp' });
    expect(rich.promisedWei).to.equal(120n);
  });

  it('a gateway cannot lie about the outcome of a write', async () => {
    Object.assign(lies[0] as Lies, { outcome: true });
    const before = world.submitted;
    const { receipt } = await db.table('item').insert({ id: 50, name: 'clock' });
    expect(receipt?.outcome).to.equal('applied');
    expect(world.submitted).to.equal(before + 1);
    for (const lie of lies) lie.outcome = true;
    expect((await db.table('item').insert({ id: 51, name: 'watch' })).receipt).to.include({ outcome: 'applied', mode: 'checkpoint' });
    expect(world.submitted).to.equal(before + 2);
  });

  it('a forged receipt proves nothing, whatever was changed in it', async () => {
    const seen: { tx: SignedTransaction; answer: SubmitAnswer }[] = [];
    const spying = await connect(nodes.urls, {
      wallet: KEY,
      async fetch(url, init) {
        const reply = await fetch(url, init);
        if (url.includes('/v1/tx')) {
          const answer = decode(operations.submit.answer, new Uint8Array(await reply.clone().arrayBuffer()));
          seen.push({ tx: decodeTransaction(init.body as Uint8Array), answer });
        }
        return reply;
      },
    });
    await (await spying.database(db.id)).table('item').insert({ id: 70, name: 'rug' });
    const { tx, answer } = seen[0] as (typeof seen)[number];
    const trust = { domain: world.domain, roster: async () => world.roster };
    const check = (change: Partial<SubmitAnswer>): Promise<string> =>
      codeOf(provenReceipt({ trust } as never, answer.txId as never, tx, { ...answer, ...change }, world.group));
    const receipt = decodeReceipt(bytesOf(answer.receipt)) as FastReceipt;
    const forged = (change: Partial<FastReceipt>): Hex => hexOf(encodeReceipt({ ...receipt, ...change }));
    expect(await check({})).to.equal('none');
    for (const change of [
      { outcome: 'aborted' as const }, { timestamp: (answer.timestamp + 1n) as never }, { txId: `0x${'77'.repeat(32)}` as Hash32 },
      { receipt: forged({ acks: receipt.acks.slice(1) }) }, { receipt: forged({ acks: receipt.acks.map((ack) => ({ ...ack, signer: 0 })) }) },
      { receipt: forged({ index: 1 }) }, { receipt: forged({ view: 9n }) },
    ]) expect(await check(change)).to.equal('SDK_BAD_RECEIPT');
  });

  it('a write whose gateways fall silent is executed once: its outcome is read from certified state', async () => {
    for (const lie of lies) lie.silent = 'executes';
    const before = world.submitted;
    const { receipt } = await db.table('item').insert({ id: 60, name: 'vase' });
    expect(receipt).to.include({ outcome: 'applied', mode: 'checkpoint' });
    await db.sql`UPDATE item SET price = 5 WHERE id = 60`;
    expect(world.submitted).to.equal(before + 2);
    expect((await db.get('item', 60)).row).to.include({ price: 5 });
  });

  it('a write that is lost is reported as never executed', async () => {
    for (const lie of lies) lie.silent = 'loses';
    expect(await codeOf(db.table('item').insert({ id: 61, name: 'ghost' }))).to.equal('SDK_NOT_ORDERED');
    expect((await db.get('item', 61)).row).to.equal(null);
  });

  it('loads many rows in batches and tells its progress', async () => {
    const seen: number[] = [];
    const rows = Array.from({ length: 250 }, (_, i) => ({ id: 1000 + i, name: `item ${i}` }));
    const done = await db.table('item').insertMany(rows, { batchRows: 100, concurrency: 2, onProgress: ({ rows: n }) => seen.push(n) });
    expect(done).to.deep.equal({ rows: 250, transactions: 3 });
    expect(seen.at(-1)).to.equal(250);
    expect((await db.table('item').count()).rows).to.equal(254n);
    expect(await codeOf(db.table('item').insertMany([{ id: 1000, name: 'again' }]))).to.equal('SDK_ALREADY_EXISTS');
    await db.table('item').insertMany([{ id: 1000, name: 'replaced' }], { onConflict: 'replace' });
    expect((await db.get('item', 1000)).row).to.include({ name: 'replaced' });
    expect(await db.table('item').remove(1000)).to.equal(true);
    expect(await db.table('item').remove(1000)).to.equal(false);
  });
});
