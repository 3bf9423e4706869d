import type { Domain } from '../../protocol/codec/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { rosterOf, type Roster } from '../../protocol/membership/index.ts';
import type { GroupStatus, NodeStatus } from '../../protocol/query/index.ts';
import type { Address, Epoch, GroupId } from '../../protocol/types/index.ts';
import { sdkFaults } from '../errors.ts';
import type { Chain } from './chain.ts';
import type { Nodes } from './nodes.ts';

/** Whom the client believes about rosters: the chain, or (without one) the first node it met. */
export type TrustKind = 'chain' | 'node';

export interface Trust {
  readonly kind: TrustKind;
  readonly domain: Domain;
  /** Current roster of a group, or that of `epoch` when an answer comes from another one. SDK_UNKNOWN_ROSTER. */
  roster(group: GroupId, epoch?: Epoch): Promise<Roster>;
}

/** A roster is read again after this time; an epoch lasts hours. */
const FRESH_MS = 15_000;
/** While the chain does not answer, the roster it named last counts on for this long: its members stay punishable for days. */
const CHAIN_DOWN_MS = 600_000;
/** Answers signed by the previous epoch are taken this long after its end: its last checkpoint is the next one's start. */
const GRACE_SECONDS = 600n;

interface Held {
  readonly roster: Roster;
  readonly readAtMs: number;
  /** Until then nobody is asked again. */
  readonly freshUntilMs: number;
}

abstract class HeldRosters implements Trust {
  abstract readonly kind: TrustKind;
  readonly domain: Domain;
  protected readonly nodes: Nodes;
  private readonly held = new Map<GroupId, Held>();
  private readonly older = new Map<string, Roster>();

  constructor(domain: Domain, nodes: Nodes) {
    this.domain = domain;
    this.nodes = nodes;
  }

  async roster(group: GroupId, epoch?: Epoch): Promise<Roster> {
    const held = this.held.get(group);
    const fresh = held !== undefined && Date.now() < held.freshUntilMs;
    if (held !== undefined && fresh && (epoch === undefined || held.roster.epoch === epoch)) return held.roster;
    const known = epoch === undefined ? undefined : this.older.get(`${group}/${epoch}`);
    if (known !== undefined && fresh) return known;
    const { roster: current } = await this.renew(group, held);
    if (epoch === undefined || current.epoch === epoch) return current;
    const roster = await this.earlier(group, epoch, current.epoch);
    this.older.set(`${group}/${epoch}`, roster);
    return roster;
  }

  private async renew(group: GroupId, last: Held | undefined): Promise<Held> {
    const nowMs = Date.now();
    const read = await this.current(group).then(
      (roster) => ({ roster, readAtMs: nowMs }),
      (error: unknown) => {
        const chainDown = isPicoloError(error) && error.code === 'SDK_CHAIN_RPC';
        if (!chainDown || last === undefined || nowMs - last.readAtMs > CHAIN_DOWN_MS) throw error;
        return last;
      },
    );
    const held = { ...read, freshUntilMs: nowMs + FRESH_MS };
    this.held.set(group, held);
    return held;
  }

  protected abstract current(group: GroupId): Promise<Roster>;
  protected abstract earlier(group: GroupId, epoch: Epoch, current: Epoch): Promise<Roster>;

  /** What the nodes say about a group; several may be asked, none is believed by a chain client. */
  protected async claims(group: GroupId): Promise<readonly GroupStatus[]> {
    const answers = await Promise.allSettled(this.nodes.urls.map((url) => this.nodes.call(url, 'status', {})));
    const statuses = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    return statuses.flatMap(({ groups }) => groups.filter((status) => status.group === group));
  }
}

/** Rosters that hash to what the registry holds. */
export class ChainTrust extends HeldRosters {
  readonly kind = 'chain';
  private readonly chain: Chain;

  constructor(domain: Domain, nodes: Nodes, chain: Chain) {
    super(domain, nodes);
    this.chain = chain;
  }

  protected async current(group: GroupId): Promise<Roster> {
    const epoch = await this.chain.currentEpoch(group);
    if (epoch === 0n) throw sdkFaults.unknownRoster({ group });
    return (await this.chain.roster(group, epoch, await this.claimed(group))).roster;
  }

  protected async earlier(group: GroupId, epoch: Epoch, current: Epoch): Promise<Roster> {
    if (epoch !== current - 1n) throw sdkFaults.unknownRoster({ group, epoch, current });
    const { roster, endedAt } = await this.chain.roster(group, epoch, await this.claimed(group));
    const now = BigInt(Math.floor(Date.now() / 1000));
    if (endedAt !== 0n && endedAt + GRACE_SECONDS < now) throw sdkFaults.unknownRoster({ group, epoch, current, endedAt });
    return roster;
  }

  private async claimed(group: GroupId): Promise<readonly (readonly Address[])[]> {
    return (await this.claims(group)).map(({ roster }) => roster);
  }
}

/** Without a chain: the rosters that the nodes tell. `trust` says so. */
export class NodeTrust extends HeldRosters {
  readonly kind = 'node';

  protected async current(group: GroupId): Promise<Roster> {
    const claims = await this.claims(group);
    const newest = claims.toSorted((a, b) => (a.epoch < b.epoch ? 1 : -1))[0];
    if (newest === undefined) throw sdkFaults.unknownRoster({ group });
    return rosterOf(group, newest.epoch, newest.roster);
  }

  protected async earlier(group: GroupId, epoch: Epoch): Promise<Roster> {
    const claim = (await this.claims(group)).find((status) => status.epoch === epoch);
    if (claim === undefined) throw sdkFaults.unknownRoster({ group, epoch });
    return rosterOf(group, epoch, claim.roster);
  }
}

/** The domain that a node says it signs for. */
export function domainOf(status: NodeStatus): Domain {
  return { chainId: status.chainId, verifyingContract: status.verifyingContract };
}
