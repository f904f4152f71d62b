import { catalog } from '../../src/jobs/catalog.ts';
import { createOpenAi } from '../../src/openai/create-openai.ts';
import { indexDefinitions } from '../../src/queue/find-definition.ts';
import { createJobQueue } from '../../src/queue/job-queue.ts';
import { createPerformHost } from '../../src/queue/perform-host.ts';
import { perform } from '../../src/queue/perform.ts';
import { createOutsideHttp } from '../../src/runtime/outside-http.ts';
import { roundTrips, type RoundTrips } from './counted-rpc.ts';
import { measured, type Measured, type Place } from './place.ts';

export interface JobRun extends Measured {
  roundTrips: RoundTrips;
  /** Names of the SQL functions, in the order of their calls. */
  calls: string[];
  result: unknown;
}

/** Runs a job of the catalog as a worker would, from its claim to its written completion. */
export async function runJob(place: Place, type: string, payload: unknown): Promise<JobRun> {
  const { database, github, log } = place;
  const queue = createJobQueue(database.rpc);
  const [job] = await queue.enqueue([{ type, payload, lane: 'edge' }]);
  const claimed = await queue.claimOne(job?.id ?? '', 'bench', 600);
  if (!claimed) throw new Error(`${type}: the job could not be claimed`);
  const inAnHour = new Date(Date.now() + 3_600_000);
  const host = createPerformHost({
    queue,
    definitionOf: indexDefinitions(catalog),
    leaseSeconds: 600,
    github: github.client,
    openai: createOpenAi({ apiKey: undefined, rpc: database.rpc, log }),
    rpc: database.rpc,
    http: createOutsideHttp(),
    log,
    now: () => new Date(),
    stopStepsAt: inAnHour,
    deadline: inAnHour,
    shutdown: new AbortController().signal,
  });
  database.take();
  const figures = await measured(place, () => perform(claimed, host));
  const calls = database.take();
  const row = await queue.get(claimed.id);
  if (row?.status !== 'completed') throw new Error(`${type}: expected it to complete, got ${row?.error}`);
  return { ...figures, roundTrips: roundTrips(calls), calls, result: row.result };
}
