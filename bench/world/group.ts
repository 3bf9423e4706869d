/** A replica group in one process: real cores, hosts, ledgers and signatures; links, disks of the journal and time in memory. */
import { join } from 'node:path';
import { createManualClock, createMemoryDisk, createMemoryNetwork, createMemorySigner, type ManualClock } from '../../node/memory/index.ts';
import { commandsOf, createRouter, proofPartsOf, startGroup, type GroupHost, type Router } from '../../node/host/index.ts';
import { openLedger, type SqlLedger } from '../../node/storage/index.ts';
import type { Domain } from '../../protocol/codec/index.ts';
import { groupConfig, type Reply } from '../../protocol/consensus/index.ts';
import { addressOf } from '../../protocol/crypto/index.ts';
import { ZERO_HASH, type Address, type BlockHash, type Command, type GroupId, type Timestamp } from '../../protocol/types/index.ts';

export const domain: Domain = { chainId: 31_337n, verifyingContract: '0x00000000000000000000000000000000000000aa' as Address };
export const group = `0x${'07'.repeat(32)}` as GroupId;

const word = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);

export class LocalGroup {
  readonly clock: ManualClock = createManualClock();
  readonly hosts: readonly GroupHost[];
  readonly ledgers: readonly SqlLedger[];
  private readonly routers: readonly Router[];

  constructor(folder: string, size = 4) {
    const network = createMemoryNetwork();
    const signers = Array.from({ length: size }, (_, i) => word(i + 1)).toSorted((a, b) => (addressOf(a) < addressOf(b) ? -1 : 1))
      .map((key) => createMemorySigner(key, domain));
    const roster = signers.map(({ address }) => address);
    const places = roster.map((node, i) => ({ node, host: 'memory', port: i + 1 }));
    const transports = places.map((place) => network.join(place));
    for (const transport of transports) transport.setPeers(places);
    this.routers = transports.map((transport) => createRouter(transport, this.clock, async () => new Uint8Array(0)));
    const genesis = { epoch: 0n, height: 0n, blockHash: ZERO_HASH as BlockHash, closeTs: 0n as Timestamp };
    const domains = roster.map(() => ({ ...domain })); // what is remembered under a domain belongs to one replica
    this.ledgers = roster.map((_, i) => openLedger({ path: join(folder, `${i}.sqlite`), group, domain: domains[i] as Domain, genesis }));
    this.hosts = roster.map((_, i) => startGroup({
      config: groupConfig({ domain: domains[i] as Domain, group, epoch: 1n, roster }), signer: signers[i] as (typeof signers)[number], clock: this.clock,
      commands: commandsOf(proofPartsOf(domains[i] as Domain, { roster: () => undefined, group: () => undefined }), { group, epoch: 1n }),
      ledger: this.ledgers[i] as SqlLedger, journal: createMemoryDisk().open(),
      send: (to, message) => this.routers[i]?.send(to, group, 1n, message),
      events: {
        onCommitted() {}, onCertified() {}, onOffence() {}, onMilestone() {}, onSealed() {}, onSnapshotWanted() {},
        onHalted: (reason) => { throw new Error(`replica ${i} halted: ${reason}`); },
      },
    }));
    this.routers.forEach((router, i) => router.onConsensus((from, _group, _epoch, message) => this.hosts[i]?.deliver(from, message)));
  }

  /** Lets time pass, a millisecond at a time, with everything that follows from it. */
  async pass(ms: number): Promise<void> {
    for (let i = 0; i < ms; i++) {
      this.clock.advance(1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Submits through one gateway after the other; resolves when all are decided. */
  async decide(commands: readonly Command[]): Promise<readonly Reply[]> {
    let open = true;
    const replies = Promise.all(commands.map((command, i) => (this.hosts[i % this.hosts.length] as GroupHost).submit(command))).finally(() => (open = false));
    while (open) await this.pass(1);
    return replies;
  }

  async stop(): Promise<void> {
    for (const host of this.hosts) await host.stop();
    for (const ledger of this.ledgers) ledger.close();
  }
}

export const secretOf = (seed: number): Uint8Array => word(100 + (seed % 100));
