import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { GroupId } from '../../protocol/types/index.ts';
import type { ChainPort, TransportStats } from '../ports/index.ts';

/** What a group looks like at the moment of a scrape. */
export interface GroupSample {
  readonly view: bigint;
  /** Place in the roster of the view's leader. */
  readonly leader: number;
  readonly fastOpen: boolean;
  readonly committed: bigint;
  readonly checkpoint: bigint;
  readonly pending: number;
  readonly acked: number;
  /** Now minus the closed timestamp. */
  readonly lagMs: number;
  /** Blocks behind the highest committed height that a member told. */
  readonly behind: number;
  /** Clock of each other member minus ours, by place in the roster. */
  readonly clockOffsetsMs: readonly (readonly [replica: number, offsetMs: number])[];
}

/**
 * Every number a node shows, by room; one helper per event, so that names and labels are written once.
 * Names: `picolo_<room>_<what>_<unit>`. Gauges are read at scrape time from what they watch.
 */
export interface Metrics {
  /** The page for /metrics. */
  expose(): Promise<{ readonly contentType: string; readonly body: string }>;
  readonly consensus: {
    watch(groups: () => Iterable<readonly [GroupId, GroupSample]>): void;
    /** Entries of one committed block; fast share = fast / (fast + classic). */
    committed(group: GroupId, counts: { readonly fast: number; readonly classic: number; readonly aborted: number }): void;
    rejected(group: GroupId, reason: string): void;
    viewChange(group: GroupId, cause: string): void;
    offence(kind: string): void;
  };
  readonly storage: {
    flushed(durationMs: number): void;
    applied(durationMs: number): void;
    checkpointed(durationMs: number): void;
    watch(bytes: () => Iterable<readonly [GroupId, number]>): void;
  };
  readonly network: { watch(stats: () => TransportStats): void };
  readonly signer: { watch(slots: () => number): void };
  readonly chain: {
    watch(chain: Pick<ChainPort, 'staleMs' | 'beacon'>): void;
    fault(code: string): void;
    /** `outcome` is 'slashed' or the code of the fault. */
    evidence(offence: string, outcome: string): void;
  };
  readonly api: { answered(route: string, status: number, durationMs: number): void };
  readonly poq: {
    /** We challenged: 'peer' (pPoQ) or 'client' (cPoQ). `outcome`: 'true', 'false', 'unavailable' or 'silent'. */
    asked(kind: 'peer' | 'client', outcome: string, durationMs: number): void;
    /** We were challenged. */
    answered(outcome: string): void;
  };
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A registry of its own for each call; nothing global. `process` adds memory, CPU and event-loop numbers. */
export function createMetrics(options: { readonly process?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.process === true) collectDefaultMetrics({ register: registry });
  return {
    expose: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
    consensus: consensusMetrics(registry),
    storage: storageMetrics(registry),
    network: networkMetrics(registry),
    signer: { watch: (slots) => gauge(registry, 'signer_slots', 'Slots the guard remembers', [], (set) => set({}, slots())) },
    chain: chainMetrics(registry),
    api: apiMetrics(registry),
    poq: poqMetrics(registry),
  };
}

function consensusMetrics(registry: Registry): Metrics['consensus'] {
  const entries = counter(registry, 'consensus_entries_total', 'Committed entries by path', ['group', 'path']);
  const aborted = counter(registry, 'consensus_aborted_total', 'Committed entries that only used up their nonce', ['group']);
  const rejects = counter(registry, 'consensus_rejects_total', 'Proposals refused', ['group', 'reason']);
  const changes = counter(registry, 'consensus_view_changes_total', 'View changes by cause', ['group', 'cause']);
  const offences = counter(registry, 'consensus_offences_total', 'Provable offences seen', ['kind']);
  return {
    watch: (groups) => watchGroups(registry, groups),
    committed(group, counts) {
      entries.inc({ group, path: 'fast' }, counts.fast);
      entries.inc({ group, path: 'classic' }, counts.classic);
      aborted.inc({ group }, counts.aborted);
    },
    rejected: (group, reason) => rejects.inc({ group, reason }),
    viewChange: (group, cause) => changes.inc({ group, cause }),
    offence: (kind) => offences.inc({ kind }),
  };
}

function watchGroups(registry: Registry, groups: () => Iterable<readonly [GroupId, GroupSample]>): void {
  const fields: readonly (readonly [name: string, help: string, read: (sample: GroupSample) => number])[] = [
    ['view', 'Current view', (s) => Number(s.view)],
    ['leader', 'Place of its leader in the roster', (s) => s.leader],
    ['behind_blocks', 'Blocks behind the highest height that a member told', (s) => s.behind],
    ['mode', '1 while the fast path is open, else 0', (s) => (s.fastOpen ? 1 : 0)],
    ['committed_height', 'Height of the committed chain', (s) => Number(s.committed)],
    ['checkpoint_height', 'Height of the newest certified checkpoint', (s) => Number(s.checkpoint)],
    ['pending_commands', 'Commands that wait', (s) => s.pending],
    ['acked_entries', 'Acknowledged entries that are not in the chain yet', (s) => s.acked],
    ['lag_seconds', 'Now minus the closed timestamp', (s) => s.lagMs / 1000],
  ];
  for (const [name, help, read] of fields) {
    gauge(registry, `consensus_${name}`, help, ['group'], (set) => {
      for (const [group, sample] of groups()) set({ group }, read(sample));
    });
  }
  gauge(registry, 'consensus_clock_offset_seconds', 'Clock of a member minus ours, the way of its message included', ['group', 'replica'], (set) => {
    for (const [group, { clockOffsetsMs }] of groups()) {
      for (const [replica, offsetMs] of clockOffsetsMs) set({ group, replica: String(replica) }, offsetMs / 1000);
    }
  });
}

function storageMetrics(registry: Registry): Metrics['storage'] {
  const flush = histogram(registry, 'storage_flush_seconds', 'Journal flush', []);
  const apply = histogram(registry, 'storage_apply_seconds', 'Apply of one committed block', []);
  const checkpoint = histogram(registry, 'storage_checkpoint_seconds', 'State commitment of a checkpoint', []);
  return {
    flushed: (ms) => flush.observe(ms / 1000),
    applied: (ms) => apply.observe(ms / 1000),
    checkpointed: (ms) => checkpoint.observe(ms / 1000),
    watch: (bytes) =>
      gauge(registry, 'storage_bytes', 'Bytes on disk', ['group'], (set) => {
        for (const [group, size] of bytes()) set({ group }, size);
      }),
  };
}

function networkMetrics(registry: Registry): Metrics['network'] {
  return {
    watch(stats) {
      gauge(registry, 'network_peers_connected', 'Authenticated links', [], (set) => set({}, stats().connected.length));
      gauge(registry, 'network_queued_bytes', 'Bytes waiting for peers', [], (set) => set({}, stats().queuedBytes));
      gauge(registry, 'network_dropped_frames', 'Frames dropped since the start', [], (set) => set({}, stats().droppedFrames));
      gauge(registry, 'network_faults', 'Refused or broken links since the start', ['code'], (set) => {
        for (const [code, count] of Object.entries(stats().faults)) set({ code }, count);
      });
    },
  };
}

function chainMetrics(registry: Registry): Metrics['chain'] {
  const faults = counter(registry, 'chain_faults_total', 'Failed polls', ['code']);
  const evidence = counter(registry, 'chain_evidence_total', 'Evidence sent to the chain', ['offence', 'outcome']);
  return {
    watch(chain) {
      gauge(registry, 'chain_stale_seconds', 'Time since the last successful poll', [], (set) => set({}, chain.staleMs() / 1000));
      gauge(registry, 'chain_block', 'Newest final block', [], (set) => set({}, Number(chain.beacon()?.blockNumber ?? 0n)));
    },
    fault: (code) => faults.inc({ code }),
    evidence: (offence, outcome) => evidence.inc({ offence, outcome }),
  };
}

function apiMetrics(registry: Registry): Metrics['api'] {
  const requests = histogram(registry, 'api_request_seconds', 'Answered requests', ['route', 'status']);
  return { answered: (route, status, durationMs) => requests.observe({ route, status: String(status) }, durationMs / 1000) };
}

function poqMetrics(registry: Registry): Metrics['poq'] {
  const asked = histogram(registry, 'poq_challenge_seconds', 'Challenges made', ['kind', 'outcome']);
  const answered = counter(registry, 'poq_answers_total', 'Challenges answered', ['outcome']);
  return {
    asked: (kind, outcome, durationMs) => asked.observe({ kind, outcome }, durationMs / 1000),
    answered: (outcome) => answered.inc({ outcome }),
  };
}

function counter<L extends string>(registry: Registry, name: string, help: string, labelNames: readonly L[]): Counter<L> {
  return new Counter({ name: `picolo_${name}`, help, labelNames: [...labelNames], registers: [registry] });
}

function histogram<L extends string>(registry: Registry, name: string, help: string, labelNames: readonly L[]): Histogram<L> {
  return new Histogram({ name: `picolo_${name}`, help, labelNames: [...labelNames], buckets: SECONDS, registers: [registry] });
}

type Setter = (labels: Record<string, string>, value: number) => void;

/** Read anew at every scrape, so that what is gone disappears. */
function gauge(registry: Registry, name: string, help: string, labelNames: readonly string[], read: (set: Setter) => void): void {
  new Gauge({
    name: `picolo_${name}`, help, labelNames: [...labelNames], registers: [registry],
    collect() {
      this.reset();
      read((labels, value) => this.set(labels, value));
    },
  });
}
