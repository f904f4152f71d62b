import { startGateway } from '../../src/local/gateway.ts';
import { createNodeLogger } from '../../src/runtime/node-logger.ts';
import { keys } from '../edge/host.ts';
import { typeOf } from './catalog.ts';
import { startHybridFront } from './inngest.ts';

/** Events before those that are measured. */
const warmUp = 20;

/**
 * Sends long events one after the other, and takes the time of the endpoint alone: of all requests of an event together.
 * `process-job` is awake and answers at once: how soon it starts is not the endpoint's time.
 * @returns milliseconds for each event
 */
export async function answerTimes(databaseUrl: string, events: number): Promise<number[]> {
  const gateway = await startGateway({
    databaseUrl,
    keys,
    functions: () => Promise.resolve(Response.json({ status: 'processing', jobs: [] }, { status: 202 })),
    log: createNodeLogger({ level: 'error' }),
  });
  let ofEvent = 0;
  const target = { supabaseUrl: gateway.url, secretKey: keys.secret };
  const front = await startHybridFront(target, 1, (ms) => (ofEvent += ms));
  const times: number[] = [];
  try {
    for (let n = 0; n < warmUp + events; n += 1) {
      ofEvent = 0;
      const [end] = await front.inngest.send({ name: typeOf.long, data: { steps: 1, stepMs: 1 } });
      if (end?.status !== 'completed')
        throw new Error(`the endpoint refused an event: ${JSON.stringify(end?.output)}`);
      times.push(ofEvent);
    }
  } finally {
    await front.close();
    await gateway.close();
  }
  return times.slice(warmUp);
}
