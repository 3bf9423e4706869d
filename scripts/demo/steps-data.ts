import { createOutput } from '../../cli/output.ts';
import { loadGeography, SCHEMA, type Geography } from './geography.ts';
import { percentiles, prove, type Step, type StepContext } from './story.ts';
import { until, type World } from './world.ts';

const SHANGHAI = 1_796_236;

export const loadStep: Step<World> = {
  name: 'It creates a database and loads the world\'s largest cities in signed batches, paying as it goes',
  async run(world, step) {
    world.picolo = await world.connect({ key: world.ownerKey });
    prove(world.picolo.trust === 'chain', 'the client trusts the chain, not a node');
    world.db = await world.picolo.createDatabase({ group: world.cluster.group, name: 'geography', schema: SCHEMA });
    step.say(`database ${world.db.id.slice(0, 18)}…: 3 tables, foreign keys, unique names, an index`);
    const data = loadGeography(world.cityCount);
    await insertAll(world, step, data);
    const rows = data.continents.length + data.countries.length + data.cities.length;
    const counted = await until('every row is under a certificate', async () => {
      const { rows: cities } = await world.db.table('cities').count();
      return cities === BigInt(data.cities.length) ? cities : undefined;
    });
    step.say(`${counted} cities, counted by proof; vouchers so far ${world.picolo.promisedWei} wei`);
    step.figure('rows', rows);
    step.figure('promisedWei', world.picolo.promisedWei);
    prove(world.picolo.promisedWei > 0n, 'service was paid by vouchers');
  },
};

async function insertAll(world: World, step: StepContext, data: Geography): Promise<void> {
  const out = createOutput(false);
  const startedMs = performance.now();
  await world.db.table('continents').insertMany(data.continents);
  await world.db.table('countries').insertMany(data.countries, { batchRows: 100, concurrency: 1 });
  const gaps: number[] = [];
  let lastMs = performance.now();
  let transactions = 0;
  await world.db.table('cities').insertMany(data.cities, {
    // one after the other: cities of one country share its reference counters, so parallel batches would collide
    batchRows: 250, concurrency: 1,
    onProgress(done) {
      gaps.push(performance.now() - lastMs);
      lastMs = performance.now();
      transactions = done.transactions;
      out.progress('    cities', done.rows, data.cities.length);
    },
  });
  const seconds = (performance.now() - startedMs) / 1000;
  const rows = data.continents.length + data.countries.length + data.cities.length;
  step.say(`${rows} rows in ${transactions + 4} signed transactions, ${seconds.toFixed(1)} s, ${Math.round(rows / seconds)} rows/s`);
  step.figure('transactions', transactions + 4);
  step.figure('rowsPerSecond', Math.round(rows / seconds));
  step.figure('betweenBatches', percentiles(gaps));
}

export const readStep: Step<World> = {
  name: 'It reads: by proof, proven absent, a proven range, by quorum, and in the past',
  async run(world, step) {
    const { db } = world;
    const latenciesMs: number[] = [];
    let found = await db.get('cities', SHANGHAI);
    for (let i = 0; i < 20; i++) {
      const beganMs = performance.now();
      found = await db.get('cities', SHANGHAI);
      latenciesMs.push(performance.now() - beganMs);
    }
    prove(found.row !== null && found.writer === world.owner.address.toLowerCase(), 'the row carries its writer\'s signature');
    const { name, population } = found.row;
    step.say(`proof: ${String(name)}, ${String(population)} people, signed by ${found.writer?.slice(0, 10)}…`);
    step.say(`       under state root ${found.checkpoint.stateRoot.slice(0, 18)}… of height ${found.checkpoint.height}, certified by a quorum`);
    step.figure('pointRead', percentiles(latenciesMs));
    step.figure('stateRoot', found.checkpoint.stateRoot);

    const absent = await db.get('cities', 42);
    prove(absent.row === null && absent.proof.kind === 'absent', 'city 42 is proven absent');
    step.say('absence: there is no city 42, proven by the same tree');

    const range = await db.range('countries', 'N', 'NZ');
    prove(range.complete && range.length > 5, 'the range is complete');
    step.say(`range: countries N to NZ, ${range.length} rows, proven complete`);

    const join = await db.sql`SELECT k.name AS continent, count(*) AS cities, sum(c.population) AS people
      FROM cities c JOIN countries l ON l.code = c.country JOIN continents k ON k.code = l.continent GROUP BY k.name ORDER BY people DESC`;
    prove(join.assurance === 'quorum' && join.nodes.length >= 2, 'f + 1 nodes signed the same result');
    step.say(`quorum: ${join.map((row) => `${String(row['continent'])} ${String(row['cities'])}`).join(', ')} (${join.nodes.length} equal signed answers)`);

    const before = new Date();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await db.sql`UPDATE cities SET population = ${1} WHERE id = ${SHANGHAI}`;
    const [now] = await db.sql`SELECT population FROM cities WHERE id = ${SHANGHAI}`;
    const [then] = await db.query('SELECT population FROM cities WHERE id = ?', [SHANGHAI], { asOf: before });
    prove(now?.['population'] === 1 && then?.['population'] === population, 'AS OF shows the state before the update');
    await db.sql`UPDATE cities SET population = ${population} WHERE id = ${SHANGHAI}`;
    step.say(`AS OF ${before.toISOString()}: ${String(then?.['population'])}; now: ${String(now?.['population'])} (put right again)`);
  },
};
