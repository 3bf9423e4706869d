/**
 * The replicas of one node: starts one for every group the registry lists it in, moves it to the next
 * epoch when the old one is sealed (consensus §2.13), brings a newcomer up by state transfer, and
 * serves the members' questions.
 */
import { decode, encode } from '../../protocol/codec/index.ts';
import { GENESIS, groupConfig, type CommandReader, type GroupConfig, type Anchor, type Milestone, type Offence, type Timing } from '../../protocol/consensus/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import type { ProofParts } from '../../protocol/cross-group/index.ts';
import { isPicoloError } from '../../protocol/errors/index.ts';
import { checkpointHashOf, rosterOf, verifyCertificate, type CertifiedCheckpoint } from '../../protocol/membership/index.ts';
import type { Address, BlockHash, Epoch, GroupId, Timestamp } from '../../protocol/types/index.ts';
import type { AppliedBlock, ChainPort, Clock, GroupView, Journal, Ledger, Signer } from '../ports/index.ts';
import { commandsOf, proofPartsOf, readerFor, type Commands } from './commands.ts';
import { hostFaults } from './faults.ts';
import { anchorReplyC, type AnchorReply } from './frames.ts';
import { startGroup, type GroupHost } from './group.ts';
import type { Requests } from './requests.ts';
import { fetchSnapshot, hasBlock, type Transfer } from './snapshot.ts';
import { resumeOrFetch, type TransferMemory } from './transfer.ts';

const ANCHOR_POLL_MS = 500;
const ANCHOR_TIMEOUT_MS = 2_000;
/** How long slower members may take to say that they have the state too. */
const HOLDERS_MS = 250;

/** Durable parts of one group; journals and anchors are per epoch. */
export interface GroupStorage<L extends Ledger = Ledger> extends TransferMemory {
  readonly ledger: L;
  openJournal(epoch: Epoch): Journal;
  loadAnchor(epoch: Epoch): Uint8Array | undefined;
  saveAnchor(epoch: Epoch, anchor: Uint8Array): void;
}

export interface GroupsEvents {
  onCommitted(group: GroupId, block: AppliedBlock, fast: number): void;
  onCertified(group: GroupId, certificate: CertifiedCheckpoint): void;
  onOffence(group: GroupView, offence: Offence): void;
  onMilestone(group: GroupId, milestone: Milestone): void;
  onState(group: GroupId, state: GroupState, detail: string): void;
}

/** `halted`: this replica stopped for good; until the node is started again it signs nothing for the group. */
export type GroupState = 'live' | 'catching-up' | 'sealed' | 'waiting' | 'halted';

export interface GroupsParts<L extends Ledger> {
  readonly domain: Domain;
  readonly signer: Signer;
  readonly chain: ChainPort;
  readonly clock: Clock;
  readonly requests: Requests;
  readonly events: GroupsEvents;
  readonly timing: Partial<Timing>;
  readonly classicOnly: boolean;
  openStorage(group: GroupId): GroupStorage<L>;
  send(to: readonly Address[], group: GroupId, epoch: Epoch, message: Uint8Array): void;
}

/** Where an epoch starts, and the members that told so. */
interface Found {
  readonly anchor: AnchorReply;
  readonly holders: readonly Address[];
}

/** One group on this node. `host` is undefined while it waits for state or for its next epoch. */
export interface Member<L extends Ledger = Ledger> {
  readonly storage: GroupStorage<L>;
  view: GroupView;
  host: GroupHost | undefined;
  state: GroupState;
}

export class Groups<L extends Ledger = Ledger> {
  readonly members = new Map<GroupId, Member<L>>();
  private readonly parts: GroupsParts<L>;
  /** Commands and proofs as every group of this node reads them. */
  readonly proofs: ProofParts;
  readonly read: CommandReader;
  private readonly fetching = new Set<Member<L>>();
  private stopped = false;

  constructor(parts: GroupsParts<L>) {
    this.parts = parts;
    this.proofs = proofPartsOf(parts.domain, parts.chain);
    this.read = readerFor(parts.domain);
    parts.chain.onChange(() => this.refresh());
    this.refresh();
  }

  /** Throws HOST_NOT_MEMBER. */
  member(group: GroupId): Member<L> {
    const found = this.members.get(group);
    if (found === undefined) throw hostFaults.notMember({ group });
    return found;
  }

  deliver(from: Address, group: GroupId, epoch: Epoch, message: Uint8Array): void {
    const host = this.members.get(group)?.host;
    if (host?.config.epoch === epoch) host.deliver(from, message);
  }

  /** Where an epoch started, for a member that asks (consensus §2.12). */
  serveAnchor(group: GroupId, epoch: Epoch): Uint8Array {
    const anchor = this.member(group).storage.loadAnchor(epoch);
    if (anchor === undefined) throw hostFaults.notMember({ group, epoch });
    return anchor;
  }

  async stop(): Promise<void> {
    this.stopped = true;
    for (const { host, storage } of this.members.values()) {
      await host?.stop();
      storage.ledger.close();
    }
  }

  private refresh(): void {
    if (this.stopped) return;
    const { chain, signer } = this.parts;
    for (const view of chain.groupsOf(signer.address)) if (!this.members.has(view.group)) this.join(view);
    for (const member of this.members.values()) {
      const view = chain.group(member.view.group);
      if (view === undefined || view.epoch === member.view.epoch) continue;
      member.view = view;
      this.advance(member);
    }
  }

  private join(view: GroupView): void {
    const storage = this.parts.openStorage(view.group);
    const member: Member<L> = { storage, view, host: undefined, state: 'waiting' };
    this.members.set(view.group, member);
    const local = storage.ledger.position().epoch;
    // An epoch that this node was part of may still need its vote to be sealed.
    const epoch = local > 0n && local < view.epoch ? local : view.epoch;
    this.run(member, epoch);
    if (epoch < view.epoch) this.advance(member);
  }

  /** Starts the replica of an epoch whose beginning is known here, or goes looking for it. */
  private run(member: Member<L>, epoch: Epoch): void {
    const anchor = this.knownAnchor(member, epoch);
    const roster = this.parts.chain.roster(member.view.group, epoch);
    if (roster === undefined || !roster.includes(this.parts.signer.address)) return this.setState(member, 'sealed', 'not a member of this epoch');
    if (anchor === undefined || member.storage.ledger.position().height < anchor.height) {
      this.setState(member, 'catching-up', 'fetching the state of the group');
      void this.catchUp(member, epoch);
      return;
    }
    const { group } = member.view;
    const { events, timing, classicOnly, domain, signer, clock } = this.parts;
    const config = groupConfig({ domain, group, epoch, roster, classicOnly, anchor, timing });
    member.host = startGroup({
      config, signer, clock, commands: this.commandsOf(config), ledger: member.storage.ledger, journal: member.storage.openJournal(epoch),
      send: (to, message) => this.parts.send(to, group, epoch, message),
      events: {
        onCommitted: (block, fast) => {
          this.caughtUp(member);
          events.onCommitted(group, block, fast);
        },
        onCertified: (certificate) => events.onCertified(group, certificate),
        onOffence: (offence) => events.onOffence({ ...member.view, epoch, roster }, offence),
        onMilestone: (milestone) => events.onMilestone(group, milestone),
        onSealed: ({ certificate, blockHash }) => void this.sealed(member, { certificate, blockHash }),
        onSnapshotWanted: (from, certificate, { blockHash, maxTs }) => {
          if (member.host !== undefined) void this.snapshot(member, member.host, roster[from] as Address, { certificate, blockHash, maxTs });
        },
        onHalted: (reason) => this.setState(member, 'halted', reason),
      },
    });
    this.setState(member, 'live', `epoch ${epoch}`);
  }

  /** The registry started a later epoch: ask for the seal, and take it from the others if they have it. */
  private advance(member: Member<L>): void {
    const { host, view } = member;
    host?.reconfigure(view.epoch, view.roster);
    if (host !== undefined && host.config.epoch < view.epoch) void this.followSeal(member, host);
    if (host === undefined && member.state !== 'catching-up') this.run(member, view.epoch);
  }

  private async sealed(member: Member<L>, anchor: AnchorReply): Promise<void> {
    const next = anchor.certificate.checkpoint.epoch + 1n;
    if (member.storage.loadAnchor(next) !== undefined) return;
    member.storage.saveAnchor(next, encode(anchorReplyC, anchor));
    const old = member.host;
    member.host = undefined;
    this.setState(member, 'sealed', `epoch ${next - 1n} is over`);
    await old?.stop();
    if (!this.stopped) this.run(member, next);
  }

  /** While the old epoch lasts here, another member may already hold its certified end. A halted replica does not take its state into the next one. */
  private async followSeal(member: Member<L>, host: GroupHost): Promise<void> {
    const next = host.config.epoch + 1n;
    const follows = (): boolean => !this.stopped && member.host === host && member.state !== 'halted';
    while (follows()) {
      await this.pause(ANCHOR_POLL_MS);
      const found = await this.askAnchor(member, next);
      if (found !== undefined && follows()) await this.sealed(member, found.anchor);
    }
  }

  private async catchUp(member: Member<L>, epoch: Epoch): Promise<void> {
    const { group } = member.view;
    while (!this.stopped && member.host === undefined) {
      try {
        const { anchor, holders } = await this.fetchAnchor(member, epoch);
        const { height } = anchor.certificate.checkpoint;
        if (member.storage.ledger.position().height < height) {
          const { ledger } = member.storage;
          const { install } = await fetchSnapshot({ requests: this.parts.requests, ledger, group, members: holders }, transferOf(anchor));
          install();
        }
        member.storage.saveAnchor(epoch, encode(anchorReplyC, anchor));
        return this.run(member, epoch);
      } catch (error) {
        this.setState(member, 'catching-up', isPicoloError(error) ? error.message : String(error));
        await this.pause(ANCHOR_POLL_MS);
      }
    }
  }

  /** One at a time: the core asks again for as long as it is behind. */
  private async snapshot(member: Member<L>, host: GroupHost, from: Address, offered: Transfer): Promise<void> {
    if (this.fetching.has(member)) return;
    this.fetching.add(member);
    const { config } = host;
    const members = [from, ...this.peersOf(member, config.epoch).filter((peer) => peer !== from)];
    const { ledger } = member.storage;
    try {
      const parts = { requests: this.parts.requests, ledger, group: config.group, members };
      if (await hasBlock(parts, from, ledger.position().height + 1n)) return;
      this.setState(member, 'catching-up', `state of height ${offered.certificate.checkpoint.height}`);
      const { transfer, install, chunks } = await resumeOrFetch(parts, member.storage, offered, { config, commands: this.commandsOf(config) });
      const { height } = transfer.certificate.checkpoint;
      if (member.host !== host || this.stopped) return;
      if (ledger.position().height >= height) return this.setState(member, 'live', 'caught up by blocks');
      install();
      host.installed(anchorAt(transfer));
      this.setState(member, 'live', `installed height ${height}, fetched ${countsOf(chunks)}`);
    } catch (error) {
      // the core asks again, perhaps for a newer one
      this.setState(member, 'catching-up', isPicoloError(error) ? error.message : String(error));
    } finally {
      this.fetching.delete(member);
    }
  }

  /** Blocks came after all. */
  private caughtUp(member: Member<L>): void {
    if (member.state === 'catching-up' && !this.fetching.has(member)) this.setState(member, 'live', 'caught up by blocks');
  }

  private knownAnchor(member: Member<L>, epoch: Epoch): Anchor | undefined {
    if (epoch === 1n) return GENESIS;
    const saved = member.storage.loadAnchor(epoch);
    return saved === undefined ? undefined : anchorAt(transferOf(decode(anchorReplyC, saved)));
  }

  private async fetchAnchor(member: Member<L>, epoch: Epoch): Promise<Found> {
    const saved = member.storage.loadAnchor(epoch);
    if (saved !== undefined) return { anchor: decode(anchorReplyC, saved), holders: this.peersOf(member, epoch) };
    const found = await this.askAnchor(member, epoch);
    if (found === undefined) throw hostFaults.snapshotFailed({ group: member.view.group, epoch });
    return found;
  }

  /** First answer that the old epoch's quorum signed, and who else gave one. */
  private async askAnchor(member: Member<L>, epoch: Epoch): Promise<Found | undefined> {
    const { group } = member.view;
    const old = this.parts.chain.roster(group, epoch - 1n);
    if (old === undefined) return undefined;
    const holders: Address[] = [];
    const peers = [...new Set([...this.peersOf(member, epoch), ...this.peersOf(member, epoch - 1n)])];
    const asked = peers.map(async (peer) => {
      const reply = decode(anchorReplyC, await this.parts.requests.ask(peer, { kind: 'anchor', group, epoch }, ANCHOR_TIMEOUT_MS));
      verifyCertificate(this.parts.domain, rosterOf(group, epoch - 1n, old), reply.certificate);
      holders.push(peer);
      return reply;
    });
    const anchor = await Promise.any(asked).catch(() => undefined); // nobody has it yet, or nobody is to be believed
    if (anchor === undefined) return undefined;
    await Promise.race([Promise.allSettled(asked), this.pause(HOLDERS_MS)]);
    return { anchor, holders };
  }

  private commandsOf({ group, epoch }: GroupConfig): Commands {
    return commandsOf(this.proofs, { group, epoch }, this.read);
  }

  private peersOf(member: Member<L>, epoch: Epoch): Address[] {
    const roster = this.parts.chain.roster(member.view.group, epoch) ?? [];
    return roster.filter((signer) => signer !== this.parts.signer.address);
  }

  private setState(member: Member<L>, state: GroupState, detail: string): void {
    member.state = state;
    this.parts.events.onState(member.view.group, state, detail);
  }

  private pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.parts.clock.after(delayMs, resolve));
  }
}

function transferOf({ certificate, blockHash }: AnchorReply): Transfer {
  return { certificate, blockHash: blockHash as BlockHash, maxTs: certificate.detail.closeTs as Timestamp };
}

function anchorAt({ certificate, blockHash, maxTs }: Transfer): Anchor {
  const { checkpoint, detail } = certificate;
  return { height: checkpoint.height, blockHash, closeTs: detail.closeTs as Timestamp, maxTs, checkpoint: checkpointHashOf(checkpoint) };
}

const countsOf = (chunks: ReadonlyMap<Address, number>): string => [...chunks].map(([peer, count]) => `${count} chunks from ${peer}`).join(', ') || 'before';
