/**
 * How long does a group stand still when its leader is killed? Four real processes, writers at another replica that never stop. The fast
 * path needs no leader, so writes go on until the others notice; then the view changes.
 *
 *   npm run bench -- view-change
 */
import { connect, groupReport, type Database } from '../sdk/index.ts';
import { round } from './measure.ts';
import type { BenchOptions } from './options.ts';
import { progress, type Figure } from './report.ts';
import { benchDatabase, clientKeys } from './world/database.ts';
import { withNetwork, type BenchNetwork } from './world/network.ts';
import { idsFrom, rowOf } from './world/row.ts';

export const question = 'Outage after SIGKILL of the leader, ms: longest pause between acknowledged commits at another replica, and the change of view behind it';

const ROUNDS = 7;
const WRITERS = 4;
const REST_MS = 5_000;
const WATCH_MS = 4_000;
const MOST_TRIES = 120;
const nextId = idsFrom(1);

interface Outage {
  /** Longest time without an acknowledged commit that began, or went on, after the kill. */
  readonly pauseMs: number;
  /** The same in the second before: what the machine does without any fault. */
  readonly calmMs: number;
  /** From the kill to the first demand for another leader, and to its open fast path, at the writers' replica. */
  readonly noticedMs: number | null;
  readonly openedMs: number | null;
}

export async function run({ quick }: BenchOptions): Promise<readonly Figure[]> {
  return withNetwork({}, async (network) => {
    const database = await benchDatabase(network, 'view-change');
    const outages: Outage[] = [];
    const kills = quick ? 2 : ROUNDS;
    for (let i = 0; i < kills; i++) {
      await sleep(REST_MS);
      progress(`kill ${i + 1} of ${kills}`);
      const leader = await leaderOf(network);
      const survivor = (leader + 1) % network.apis.length;
      outages.push(await outage(network, leader, survivor, database));
      await network.restart(leader);
    }
    return [figureOf(outages)];
  });
}

function figureOf(outages: readonly Outage[]): Figure {
  const known = (of: (outage: Outage) => number | null): number[] => outages.map(of).filter((value) => value !== null);
  const pauses = known(({ pauseMs }) => pauseMs);
  const noticed = known(({ noticedMs }) => noticedMs);
  const opened = known(({ openedMs }) => openedMs);
  return {
    kills: outages.length, pause_median: round(median(pauses)), pause_least: round(Math.min(...pauses)), pause_most: round(Math.max(...pauses)),
    calm_pause_median: round(median(known(({ calmMs }) => calmMs))),
    noticed_median: noticed.length === 0 ? null : round(median(noticed)), opened_median: opened.length === 0 ? null : round(median(opened)),
    opened_most: opened.length === 0 ? null : round(Math.max(...opened)),
  };
}

/** Place of the leader's process in `apis`, once every member answers and they agree. */
async function leaderOf({ apis }: BenchNetwork): Promise<number> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const members = (await groupReport(apis[0] as string, undefined, 5_000).catch(() => []))[0]?.members ?? [];
    const leaders = new Set(members.map(({ state, leader }) => (state === 'live' ? leader : null)));
    const [leader] = leaders;
    if (leaders.size === 1 && leader !== null && leader !== undefined) return placeOf(apis, members[leader]?.node);
    await sleep(500);
  }
  throw new Error('the members do not agree on a leader');
}

async function placeOf(apis: readonly string[], node: string | undefined): Promise<number> {
  const statuses = await Promise.all(apis.map(async (api) => (await (await fetch(`${api}/v1/status`)).json()) as { node: string }));
  return statuses.findIndex((status) => status.node === node);
}

async function outage(network: BenchNetwork, leader: number, survivor: number, database: string): Promise<Outage> {
  const sessions = await Promise.all(clientKeys(WRITERS).map((key) => open(network.apis[survivor] as string, database, key)));
  const times: number[] = [];
  let stopped = false;
  const writers = sessions.map(async (db) => {
    while (!stopped) await db.table('item').insert(rowOf(nextId())).then(() => times.push(Date.now()));
  });
  await sleep(2_000);
  const killedMs = Date.now();
  await network.kill(leader);
  await sleep(WATCH_MS);
  stopped = true;
  await Promise.all(writers);
  const first = (event: string): number | null => {
    const line = network.logOf(survivor).find(({ msg, time }) => msg === `consensus ${event}` && Number(new Date(time as string)) >= killedMs);
    return line === undefined ? null : Number(new Date(line['time'] as string)) - killedMs;
  };
  return {
    pauseMs: longestPause(times, killedMs, killedMs + WATCH_MS), calmMs: longestPause(times, killedMs - 1_000, killedMs),
    noticedMs: first('viewChangeStarted'), openedMs: first('fastOpened'),
  };
}

async function open(api: string, database: string, key: string): Promise<Database> {
  const picolo = await connect(api, { key, timeoutMs: 20_000 });
  return picolo.database(database);
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;

function longestPause(times: readonly number[], fromMs: number, toMs: number): number {
  const inside = [fromMs, ...times.filter((time) => time >= fromMs && time <= toMs), toMs];
  return Math.max(...inside.slice(1).map((time, i) => time - (inside[i] as number)));
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
