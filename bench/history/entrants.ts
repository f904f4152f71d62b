import { enter, type Entrant } from '../contenders/arena.ts';
import type { Contender } from '../contenders/contender.ts';
import { graphileWorker, hybridJobs, pgBoss } from '../contenders/contenders.ts';
import { bulk } from '../contenders/load.ts';
import { startWorkers } from '../contenders/worker.ts';
import type { Bench } from '../section.ts';
import { seedHybridJobs, seedPgBoss } from './seed.ts';

interface Lineup {
  /** Jobs that are drained before the finished ones are added. */
  warmUp: number;
  /** Numbers of finished jobs, ascending. */
  finished: readonly number[];
}

interface Plan {
  contender: Contender;
  finished: number;
  seed?: typeof seedPgBoss;
}

/**
 * Ours without a history and with each of them, pg-boss with the first. graphile-worker deletes what is finished, so that
 * it has no history to be slowed by.
 */
export async function enterAll(bench: Bench, { warmUp, finished }: Lineup): Promise<Map<string, Entrant>> {
  const plans: Plan[] = [
    { contender: hybridJobs, finished: 0 },
    ...finished.map((rows) => ({ contender: hybridJobs, finished: rows, seed: seedHybridJobs })),
    { contender: graphileWorker, finished: 0 },
    { contender: pgBoss, finished: finished[0] ?? 0, seed: seedPgBoss },
  ];
  const entrants = new Map<string, Entrant>();
  for (const plan of plans)
    entrants.set(nameOf(plan.contender, plan.finished), await admit(bench, plan, warmUp));
  await seedAll(bench, plans, entrants);
  return entrants;
}

/** pg-boss's finished jobs are copies of one that it has completed itself. */
async function admit(bench: Bench, { contender, finished }: Plan, warmUp: number): Promise<Entrant> {
  bench.progress(`installing ${nameOf(contender, finished)}`);
  const entrant = await enter(contender, bench.databaseUrl, ` ${finished}`);
  if (finished === 0) return entrant;
  const workers = await startWorkers(contender, entrant.databaseUrl);
  await bulk(entrant, workers, warmUp);
  await workers.stop();
  return entrant;
}

/** How often a step that takes minutes shows that it goes on, in milliseconds. */
const tellMs = 10_000;

/** Side by side, since nothing is measured yet. */
async function seedAll(
  bench: Bench,
  plans: readonly Plan[],
  entrants: ReadonlyMap<string, Entrant>,
): Promise<void> {
  const start = performance.now();
  const steps = new Map<string, { what: string; rows: number }>();
  const all = plans.reduce((sum, { seed, finished }) => sum + (seed ? finished : 0), 0);
  const tell = (): void => {
    const rows = [...steps.values()].reduce((sum, step) => sum + step.rows, 0);
    const each = [...steps].map(([name, { what }]) => `${name}: ${what}`).join('; ');
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    // The rows are about half of the time: they are vacuumed and counted afterwards.
    bench.progress(`seeding for ${seconds} s, ${each}`, rows / all / 2);
  };
  const timer = setInterval(tell, tellMs);
  await Promise.all(
    plans.map(async ({ contender, finished, seed }) => {
      const name = nameOf(contender, finished);
      const entrant = entrants.get(name);
      if (seed && entrant)
        await seed(entrant.databaseUrl, finished, (what, rows) => steps.set(name, { what, rows }));
    }),
  ).finally(() => clearInterval(timer));
}

export function nameOf({ name }: Contender, finished = 0): string {
  return finished === 0 ? name : `${name}, ${count(finished)} finished`;
}

export function count(value: number): string {
  return value >= 1_000_000 ? `${value / 1_000_000}M` : `${value / 1000}k`;
}
