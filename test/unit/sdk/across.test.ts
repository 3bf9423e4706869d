import { expect } from 'chai';
import { decode, encode } from '../../../protocol/codec/index.ts';
import { installNativeCrypto } from '../../../node/crypto/index.ts';
import { encodeReceipt, type ClassicReceipt } from '../../../protocol/consensus/index.ts';
import { addressOf } from '../../../protocol/crypto/index.ts';
import {
  checkPlan, commitOf, coordinatorOf, decidedC, decisionIdOf, abortFor, intentPathOf, planIdOf, prepareIdOf, type Decided, type Plan,
} from '../../../protocol/cross-group/index.ts';
import { timestampOf } from '../../../protocol/hlc/index.ts';
import { rosterOf, type Roster } from '../../../protocol/membership/index.ts';
import { apiFaults, operations, type CarryRequest, type PrepareRequest } from '../../../protocol/query/index.ts';
import { entryIdOf } from '../../../protocol/rows/index.ts';
import {
  compareHex, hexOf, ZERO_HASH, type DatabaseId, type EntryId, type GroupId, type Hash32, type Hex, type Timestamp, type TxId,
} from '../../../protocol/types/index.ts';
import { Client } from '../../../sdk/client.ts';
import { exchangeOver } from '../../../sdk/net/exchange.ts';
import { Nodes } from '../../../sdk/net/nodes.ts';
import { decide, type SignedPart, type SignedPlan } from '../../../sdk/write/decision.ts';
import { privateKeyOf } from '../../conformance/keys.ts';
import { at, domain, World, type Made } from '../../conformance/ledger-world.ts';
import { classicReceipt } from './receipts.ts';

/** The keys of a group of four: it says whatever a test wants, properly signed. */
class Group {
  readonly domain = domain;
  readonly group: GroupId;
  readonly keys: readonly Uint8Array[];

  constructor(seed: number) {
    this.group = `0x${seed.toString(16).padStart(2, '0').repeat(32)}` as GroupId;
    this.keys = [0, 1, 2, 3].map((i) => privateKeyOf(10 * seed + i)).toSorted((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1));
  }

  receipt(txId: TxId, ts: Timestamp, outcome: 'applied' | 'aborted'): ClassicReceipt {
    const footprintRoot = ZERO_HASH;
    return classicReceipt(this, { txId, entryId: entryIdOf(txId, ts, footprintRoot), ts, footprintRoot, outcome }) as ClassicReceipt;
  }
}

type Told = { readonly outcome: 'applied' | 'aborted'; readonly receipt: ClassicReceipt };

/** How one node answers. */
interface Node {
  prepare(group: GroupId): Told;
  carry(): Decided | undefined;
}

const groups = [new Group(4), new Group(5)] as const;
const TIMES = [at(100), at(140)] as const;

class Scene {
  readonly signed: SignedPlan;
  readonly plan: Plan;
  readonly carried: string[] = [];
  private readonly made: readonly Made[];
  private readonly databases: readonly DatabaseId[];

  constructor(nodes: readonly Node[]) {
    const worlds = [new World(1, 1), new World(2, 1)];
    this.databases = worlds.map(({ database }) => database);
    const participants = worlds.map(({ database }, i) => ({ database, group: (groups[i] as Group).group, epoch: 1n }));
    this.plan = checkPlan({
      writer: (worlds[0] as World).metadata.owner, salt: `0x${'5a'.repeat(32)}` as Hash32,
      participants: participants.toSorted((a, b) => compareHex(a.database, b.database)),
      decideBy: timestampOf(Date.now() + 5_000, 0, 0),
    });
    this.made = worlds.map((world) => {
      world.create(['CREATE TABLE account (id INTEGER PRIMARY KEY, units INTEGER NOT NULL)'], 1);
      const mark = { path: intentPathOf(planIdOf(this.plan), world.database), version: ZERO_HASH as EntryId, mode: 'W' as const };
      return world.sign([world.putOf('account', { id: 1, units: 1 })], at(1), this.plan.decideBy, [mark]);
    });
    const client = this.clientOf(nodes);
    const homes = this.databases.map((database, i) => ({ database, group: (groups[i] as Group).group }));
    const parts = this.made.map(({ tx }, i) => ({ tx, changes: [], writing: { client, home: homes[i] } }));
    this.signed = { plan: this.plan, parts: parts as unknown as SignedPart[] };
  }

  prepared(i: number, outcome: Told['outcome'] = 'applied'): Told {
    const id = prepareIdOf(planIdOf(this.plan), this.databases[i] as DatabaseId, (this.made[i] as Made).command.id);
    return { outcome, receipt: (groups[i] as Group).receipt(id, TIMES[i] as Timestamp, outcome) };
  }

  /** @param by whose signatures; the coordinator group's are the right ones */
  decision(verdict: 'commit' | 'prevented', by = this.coordinator): Decided {
    const receiptOf = (database: DatabaseId): ClassicReceipt => this.prepared(this.databases.indexOf(database)).receipt;
    const proofs = this.plan.participants.map(({ database }) => ({ database, part: ZERO_HASH as TxId, receipt: receiptOf(database) }));
    const decision = verdict === 'commit' ? commitOf(proofs) : abortFor(verdict);
    return { ...decision, receipt: by.receipt(decisionIdOf(planIdOf(this.plan), decision), at(150), 'applied') };
  }

  get coordinator(): Group {
    return groups.find(({ group }) => group === coordinatorOf(this.plan).group) as Group;
  }

  get participant(): Group {
    return groups.find(({ group }) => group !== this.coordinator.group) as Group;
  }

  private clientOf(nodes: readonly Node[]): Client {
    const fetcher = async (url: string, init: RequestInit): Promise<Response> => {
      const { hostname, pathname } = new URL(url);
      const node = nodes[Number(hostname.slice(1))] as Node;
      const body = new Uint8Array(init.body as Uint8Array);
      try {
        const { prepare, carry } = operations;
        if (pathname === prepare.url) return answerOf(this.prepare(node, decode(prepare.request, body)));
        return answerOf(this.carry(node, hostname, decode(carry.request, body)));
      } catch (error) {
        const { code, message, todo, facts } = error as ReturnType<typeof apiFaults.badTransaction>;
        return new Response(JSON.stringify({ error: { code, message, todo, facts } }), { status: 422 });
      }
    };
    const roster = async (of: GroupId): Promise<Roster> => rosterOf(of, 1n, (groups[indexOf(of)] as Group).keys.map(addressOf));
    const network = new Nodes({ urls: nodes.map((_, i) => `http://n${i}`), timeoutMs: 5_000, exchange: exchangeOver(fetcher) });
    return new Client({
      nodes: network, trust: { kind: 'chain', domain, roster }, wallet: undefined, payer: undefined, localSql: undefined, integers: 'number',
    });
  }

  private prepare(node: Node, { group }: PrepareRequest): Uint8Array {
    const { outcome, receipt } = node.prepare(group as GroupId);
    return encode(operations.prepare.answer, { outcome, receipt: hexOf(encodeReceipt(receipt)) });
  }

  private carry(node: Node, name: string, { group }: CarryRequest): Uint8Array {
    this.carried.push(`${name} ${group}`);
    const decided = node.carry();
    return encode(operations.carry.answer, { decided: decided === undefined ? '0x' : hexOf(encode(decidedC, decided)) as Hex });
  }
}

function answerOf(bytes: Uint8Array): Response {
  return new Response(new Uint8Array(bytes), { headers: { 'content-type': 'application/cbor' } });
}

const indexOf = (group: GroupId): number => groups.findIndex((each) => each.group === group);

describe('sdk: transactions over several groups', () => {
  before(() => installNativeCrypto());

  it('believes a prepare and a decision by the certificates of the right group alone, and goes on to the next node', async () => {
    const lies: Node = {
      prepare: (group) => ({ ...scene.prepared(indexOf(group), 'aborted'), outcome: 'applied' }),
      carry: () => scene.decision('prevented', scene.participant),
    };
    const honest: Node = { prepare: (group) => scene.prepared(indexOf(group)), carry: () => scene.decision('commit') };
    const scene: Scene = new Scene([lies, honest]);
    const decided = await decide(scene.signed);
    expect([decided.verdict, decided.ts]).to.deep.equal(['commit', TIMES[1]]);
    expect(scene.carried.filter((told) => told.endsWith(scene.participant.group)), 'the other group is told by all').to.have.members(
      ['n0', 'n1'].map((name) => `${name} ${scene.participant.group}`),
    );
  });

  it('one proven refusal is enough to carry: the others need not be waited for', async () => {
    const node: Node = {
      prepare(group) {
        if (indexOf(group) === 1) throw apiFaults.notFinal();
        return scene.prepared(0, 'aborted');
      },
      carry: () => scene.decision('prevented'),
    };
    const scene: Scene = new Scene([node]);
    expect((await decide(scene.signed)).verdict).to.equal('prevented');
  });

  it('a part that cannot be prepared ends it with the reason', async () => {
    const node: Node = {
      prepare: () => {
        throw apiFaults.badTransaction({ reason: 'no such thing' });
      },
      carry: () => undefined,
    };
    const fault = await decide(new Scene([node]).signed).catch((error: { code: string }) => error);
    expect(fault).to.include({ code: 'API_BAD_TRANSACTION' });
  });
});
