import { expect } from 'chai';
import { createLogger, createMetrics, createNodeEvents, type GroupSample } from '../../../node/observe/index.ts';
import { defineFaults } from '../../../protocol/errors/index.ts';
import type { Address, GroupId } from '../../../protocol/types/index.ts';

const faults = defineFaults('CHAIN', { unreachable: ['no answer', 'try again'] });
const group = `0x${'ab'.repeat(32)}` as GroupId;
const peer = `0x${'cd'.repeat(20)}` as Address;

function capture(): { lines: () => any[]; write: (line: string) => void } {
  const written: string[] = [];
  return { lines: () => written.map((line) => JSON.parse(line)), write: (line) => void written.push(line) };
}

describe('observe', () => {
  it('writes JSON lines with faults explained and secrets cut out', () => {
    const out = capture();
    const log = createLogger({ bindings: { node: peer }, destination: out });
    const secret = '5e'.repeat(32);
    log.info({ privateKey: secret, config: { password: secret, nested: { operatorKey: secret } }, height: 7n }, 'started');
    log.error({ err: faults.unreachable({ block: 5n }, new Error('ECONNREFUSED')) }, 'poll');
    const [first, second] = out.lines();
    expect(JSON.stringify(out.lines())).not.to.include(secret);
    expect(first).to.deep.include({ level: 'info', node: peer, msg: 'started', height: '7', privateKey: '[secret]' });
    const explained = { code: 'CHAIN_UNREACHABLE', message: 'no answer', todo: 'try again', facts: { block: '5' } };
    expect(second.err).to.deep.equal({ ...explained, cause: 'ECONNREFUSED' });
  });

  it('logs nothing below its level', () => {
    const out = capture();
    createLogger({ level: 'warn', destination: out }).info('quiet');
    expect(out.lines()).to.deep.equal([]);
  });

  it('counts events and reads gauges at scrape time', async () => {
    const metrics = createMetrics();
    const events = createNodeEvents(createLogger({ level: 'silent' }), metrics);
    let samples: (readonly [GroupId, GroupSample])[] = [
      [group, { view: 3n, leader: 3, fastOpen: true, committed: 9n, checkpoint: 8n, pending: 1, acked: 2, lagMs: 1500, behind: 4, clockOffsetsMs: [[2, -25]] }],
    ];
    metrics.consensus.watch(() => samples);
    metrics.network.watch(() => ({ connected: [peer], queuedBytes: 12, droppedFrames: 3, faults: { NETWORK_SILENT_PEER: 2 } }));
    metrics.chain.watch({ staleMs: () => 250, beacon: () => undefined });
    events.committed(group, 9n, { fast: 3, classic: 1, aborted: 1 });
    events.milestone(group, { event: 'rejected', view: 3n, round: 1, reason: 'stale' });
    events.milestone(group, { event: 'viewChangeStarted', view: 4n, cause: 'timeout' });
    events.offence(group, 'VoteConflict', peer);
    events.chainFault(faults.unreachable());
    events.evidenceSent('VoteConflict/0x12', '0x34', 70_000n);
    events.apiAnswered('/v1/tx', 200, 4);
    events.poqAsked('peer', peer, 'true', 3);
    const { body, contentType } = await metrics.expose();
    expect(contentType).to.include('text/plain');
    for (const line of [
      `picolo_consensus_entries_total{group="${group}",path="fast"} 3`,
      `picolo_consensus_rejects_total{group="${group}",reason="stale"} 1`,
      `picolo_consensus_view_changes_total{group="${group}",cause="timeout"} 1`,
      `picolo_consensus_view{group="${group}"} 3`,
      `picolo_consensus_leader{group="${group}"} 3`,
      `picolo_consensus_behind_blocks{group="${group}"} 4`,
      `picolo_consensus_clock_offset_seconds{group="${group}",replica="2"} -0.025`,
      `picolo_consensus_mode{group="${group}"} 1`,
      `picolo_consensus_lag_seconds{group="${group}"} 1.5`,
      'picolo_consensus_offences_total{kind="VoteConflict"} 1',
      'picolo_network_peers_connected 1',
      'picolo_network_faults{code="NETWORK_SILENT_PEER"} 2',
      'picolo_chain_stale_seconds 0.25',
      'picolo_chain_faults_total{code="CHAIN_UNREACHABLE"} 1',
      'picolo_chain_evidence_total{offence="VoteConflict",outcome="slashed"} 1',
      'picolo_api_request_seconds_count{route="/v1/tx",status="200"} 1',
      'picolo_poq_challenge_seconds_count{kind="peer",outcome="true"} 1',
    ]) expect(body).to.include(line);
    samples = [];
    expect((await metrics.expose()).body).not.to.include(`picolo_consensus_view{group="${group}"}`);
  });

  it('keeps two nodes in one process apart', async () => {
    const [a, b] = [createMetrics(), createMetrics({ process: true })];
    a.consensus.offence('FalseAnswer');
    expect((await b.expose()).body).not.to.include('FalseAnswer');
    expect((await b.expose()).body).to.include('process_cpu');
  });
});
