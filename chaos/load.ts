import { setTimeout as sleep } from 'node:timers/promises';
import { createInngestExecutor } from '../src/local/inngest-executor.ts';
import { hybridSet } from '../src/router/function-sets.ts';
import { chaosCatalog } from './jobs/catalog.ts';
import type { Acknowledged } from './ledger/violations.ts';
import type { Random } from './random.ts';
import { signingKey } from './system/keys.ts';
import type { System } from './system/system.ts';

/** Jobs that wait or run at a time, about; more are made when some have ended. */
const depth = 60;
/** Events on their way at a time. */
const eventsAtOnce = 6;
const lookMs = 50;

/** Jobs of all kinds, made without a pause: in the database, as a trigger or an operator does, and as events to Inngest. */
export interface Load {
  /** Makes no more. Resolves with what was acknowledged, when every event that was sent has been answered. */
  stop(): Promise<Acknowledged>;
}

export function startLoad(system: System, random: Random): Load {
  const stopping = new AbortController();
  const jobs: string[] = [];
  const events: string[] = [];
  const inngest = createInngestExecutor({
    url: system.inngestUrl,
    signingKey,
    functions: chaosCatalog.map(({ type, functionId }) => ({
      id: `${hybridSet.appId}-${functionId}`,
      triggers: [{ event: type }],
    })),
    // Inngest gives up after hours; here it is as patient for as long as a fault may last.
    retries: 10_000,
    backoffMs: () => 200,
  });

  async function enqueue(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const { rows } = await system
          .pool()
          .query<{ open: number }>(
            `select count(*)::integer as open from background_jobs where status in ('queued', 'processing')`,
          );
        const missing = depth - (rows[0]?.open ?? 0);
        if (missing > 0) jobs.push(...(await enqueueSome(system, random, missing)));
      } catch {
        // The database is away: nothing was acknowledged.
      }
      await sleep(lookMs);
    }
  }

  async function send(): Promise<void> {
    while (!stopping.signal.aborted) {
      const id = crypto.randomUUID();
      events.push(id);
      const name = random.pick(['chaos/quick', 'chaos/quick', 'chaos/edge', 'chaos/worker']);
      await inngest.send({ id, name, data: randomWork(random) });
      await sleep(lookMs);
    }
  }

  const producing = Promise.all([enqueue(), ...Array.from({ length: eventsAtOnce }, send)]);
  return {
    async stop() {
      stopping.abort();
      await producing;
      return { jobs, events };
    },
  };
}

function randomWork(random: Random): { steps: number; stepMs: number } {
  return { steps: random.integer(1, 4), stepMs: random.integer(0, 150) };
}

async function enqueueSome(system: System, random: Random, count: number): Promise<string[]> {
  const jobs = Array.from({ length: count }, (_, index) => ({
    type: random.pick(['chaos/edge', 'chaos/worker', 'chaos/failing', 'chaos/parent']),
    payload: randomWork(random),
    ...(random.next() < 0.4 && { concurrency_key: `key ${random.integer(1, 5)}`, concurrency_limit: 2 }),
    ...(index > 0 && random.next() < 0.2 && { depends_on: [random.integer(0, index - 1)] }),
  }));
  const { rows } = await system
    .pool()
    .query<{ id: string }>('select id from enqueue_background_jobs($1)', [JSON.stringify(jobs)]);
  return rows.map(({ id }) => id);
}
