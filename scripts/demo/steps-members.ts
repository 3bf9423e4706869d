import { startProvider, type LocalProvider } from '../../cli/devnet/network.ts';
import { collectOffers, listProviders, providerOf, replaceMember } from '../../sdk/operator/index.ts';
import type { Address } from '../../protocol/types/index.ts';
import { certificateAt } from './steps-lies.ts';
import { percentiles, prove, type Step, type StepContext } from './story.ts';
import { until, type World } from './world.ts';

const LEAVING = 3;
const JOINING = 5;
const KILLED = 1;
const WRITES_BEFORE_KILL = 20;
const WRITES_IN_ALL = 60;

interface Status {
  readonly groups: readonly { readonly group: string; readonly epoch: string; readonly roster: readonly Address[]; readonly state: string; readonly height: string }[];
}

async function groupAt(apiUrl: string, group: string): Promise<Status['groups'][number] | undefined> {
  const status = (await (await fetch(`${apiUrl}/v1/status`)).json()) as Status;
  return status.groups.find((each) => each.group === group);
}

export const replaceStep: Step<World> = {
  name: 'The fifth provider takes the free place and catches up by state transfer',
  async run(world, step) {
    const { network, cluster } = world;
    const [leaving, joining] = [world.provider(LEAVING), world.provider(JOINING)];
    const before = await groupAt(world.provider(KILLED).apiUrl, cluster.group);
    prove(before !== undefined, 'the group serves');
    const listing = (await listProviders(network)).filter(({ node }) => node === joining.node);
    const [offer] = await collectOffers(network.domain, listing, cluster.cluster, 1, 1);
    prove(offer !== undefined, 'the fifth provider offers capacity');
    const receipt = await replaceMember(network, cluster.cluster, 0, before.roster, leaving.node, offer);
    world.gas['replaceMember'] = receipt.gasUsed;
    await showNewcomer(world, step, { leaving, joining, members: [1, 2, 4, JOINING].map((number) => world.provider(number)), epoch: '2' });
  },
};

interface Newcomer {
  readonly leaving: LocalProvider;
  readonly joining: LocalProvider;
  /** All of the new epoch. */
  readonly members: readonly LocalProvider[];
  readonly epoch: string;
}

/** Waits until a provider serves the epoch that took it in, and has it prove random rows under the root that all members certify. */
export async function showNewcomer(world: World, step: StepContext, { leaving, joining, members, epoch }: Newcomer): Promise<void> {
  const { group } = world.cluster;
  const startedMs = performance.now();
  await until(`${joining.name} serves epoch ${epoch}`, async () => {
    const joined = await groupAt(joining.apiUrl, group).catch(() => undefined);
    return joined?.state === 'live' && joined.epoch === epoch ? joined : undefined;
  }, 90_000);
  const seconds = (performance.now() - startedMs) / 1000;
  step.say(`epoch ${epoch}: ${leaving.name} out, ${joining.name} in after ${seconds.toFixed(1)} s, its state fetched and verified chunk by chunk`);
  for (const change of [1, -1]) await world.db.sql`UPDATE cities SET population = population + ${change} WHERE id = ${1796236}`;
  const same = await until('all four certify the same height', async () => {
    const certificates = await Promise.all(members.map(({ apiUrl }) => certificateAt(apiUrl, group)));
    const roots = new Set(certificates.map(({ checkpoint }) => `${checkpoint.epoch} ${checkpoint.height} ${checkpoint.stateRoot}`));
    return roots.size === 1 && certificates[0]?.checkpoint.epoch === epoch ? certificates[0] : undefined;
  });
  step.say(`height ${same.checkpoint.height}: state root ${same.checkpoint.stateRoot.slice(0, 18)}… at all four`);
  const report = await world.db.challenge({ count: 32, urls: [joining.apiUrl] });
  prove(report.verdicts[0]?.verdict === 'honest', "32 random rows of the newcomer's own tree lead to that root");
  step.say(`32 random rows asked of ${joining.name}: all proven, ${report.verdicts[0]?.signed} with their writer's signature`);
  step.figure('joinSeconds', seconds);
  step.figure('stateRoot', same.checkpoint.stateRoot);
  step.figure('height', same.checkpoint.height);
}

export const crashStep: Step<World> = {
  name: 'A replica is killed in the middle of a write load and started again: nothing acknowledged is lost',
  async run(world, step) {
    const victim = world.provider(KILLED);
    await world.db.exec('CREATE TABLE visits (id INTEGER PRIMARY KEY, city INTEGER NOT NULL REFERENCES cities (id), note TEXT NOT NULL)');
    const acknowledged: number[] = [];
    const latenciesMs: number[] = [];
    for (let id = 1; id <= WRITES_IN_ALL; id++) {
      const beganMs = performance.now();
      await world.db.sql`INSERT INTO visits (id, city, note) VALUES (${id}, ${1796236}, ${`visit ${id}`})`;
      latenciesMs.push(performance.now() - beganMs);
      acknowledged.push(id);
      if (id === WRITES_BEFORE_KILL) {
        await victim.process?.kill();
        step.say(`SIGKILL to ${victim.name} after ${id} writes; the load goes on`);
      }
    }
    const beganMs = performance.now();
    await startProvider(victim);
    const fresh = await world.connect({ key: world.ownerKey, urls: [victim.apiUrl] });
    const db = (await fresh.database(world.db.id)).session(world.db.bookmark);
    const rows = await until('the restarted replica has every row', async () => {
      const found = await db.range('visits').catch(() => undefined);
      return found !== undefined && found.length === acknowledged.length ? found : undefined;
    });
    prove(rows.complete && acknowledged.every((id) => rows.some((row) => row['id'] === id)), 'every acknowledged row is there');
    step.say(`${victim.name} is back after ${((performance.now() - beganMs) / 1000).toFixed(1)} s with all ${rows.length} acknowledged rows, proven`);
    const account = await providerOf(world.network, victim.node);
    const slashes = await world.network.events('StakeVault', 'Slashed', [victim.node]);
    prove(slashes.length === 0 && account.status === 'active', 'it signed nothing twice: nobody could slash it');
    step.figure('acknowledged', acknowledged.length);
    step.figure('writeLatency', percentiles(latenciesMs));
  },
};
