import fc from 'fast-check';
import type { FuzzTarget, OpenTarget } from '../target.ts';
import { type FuzzedEndpoint, openEndpoints } from './endpoints.ts';
import { fuzzKeys } from './outside.ts';
import { type HostileRequest, hostileRequest, toRequest } from './request.ts';
import { createWatch } from './watch.ts';

/** Jobs pile up while endpoints take what is not refused. */
const emptyEvery = 500;

/**
 * Requests to every HTTP endpoint. Each is answered in time and, with the database there, never with 5xx; what an endpoint
 * refuses has made no job; no secret is shown, each line of the log is one JSON object, no prototype is changed.
 */
export const endpoints: FuzzTarget = {
  name: 'endpoints',
  weight: 3,
  open: async (databaseUrl) => await open(databaseUrl),
};

async function open(databaseUrl: string): Promise<OpenTarget> {
  const { secret, jwtSecret, event, signing } = fuzzKeys;
  const watch = createWatch([secret, jwtSecret, event, signing]);
  const opened = await openEndpoints(databaseUrl, watch.log);
  const { all, pool } = opened;
  const statuses = new Map<number, number>();
  const countJobs = async (): Promise<number> =>
    (await pool.query<{ n: number }>('select count(*)::integer as n from background_jobs')).rows[0]?.n ?? 0;
  let tried = 0;

  async function holds(endpoint: FuzzedEndpoint, request: HostileRequest): Promise<void> {
    if (++tried % emptyEvery === 0) await pool.query('delete from background_jobs');
    const credentials = request.trusted ? await endpoint.credentials(request) : {};
    const before = await countJobs();
    const answer = endpoint.handle(toRequest(endpoint.url, request, credentials));
    const mayFail = endpoint.failsForTrusted === true && 'x-inngest-signature' in credentials;
    const { status, headers } = await watch.check(answer, mayFail);
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (endpoint.refusesWhole && status >= 400 && (await countJobs()) !== before)
      throw new Error(`${endpoint.name} answered ${status} and made a job all the same`);
    if (endpoint.name !== 'gateway' && headers.has('access-control-allow-origin'))
      throw new Error(`${endpoint.name} opened itself to other origins`);
  }

  const requests = all.map((endpoint) =>
    hostileRequest(endpoint.words, endpoint.samples, endpoint.paths).map((request) => ({
      endpoint: endpoint.name,
      request,
    })),
  );
  const property = fc.asyncProperty(fc.oneof(...requests), async ({ endpoint: name, request }) => {
    const endpoint = all.find((each) => each.name === name);
    if (endpoint) await holds(endpoint, request);
  });
  return {
    property,
    summary: () =>
      `${all.length} endpoints, answers ${[...statuses]
        .sort(([a], [b]) => a - b)
        .map(([status, n]) => `${n} × ${status}`)
        .join(', ')}`,
    close: () => opened.close(),
  };
}
