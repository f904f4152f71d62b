import { DatabaseUnreachableError, RpcError } from '../database/rpc.ts';
import { mayPass } from '../queue/persist.ts';
import { type Accept, RefusedEventError } from '../router/accept.ts';
import { createKeyMatch } from '../runtime/key-match.ts';
import type { Logger } from '../runtime/logger.ts';
import { createEventIds } from './event-ids.ts';
import { BadEventsError, readEvents } from './read-events.ts';

export interface EventsHandlerOptions {
  accept: Accept;
  /** The key that senders present. Undefined: any key will do, as with the Inngest Dev Server. */
  eventKey: string | undefined;
  /** Called at every request that has the key; no request waits for it. */
  onRequest: () => void;
  log: Logger;
  now: () => Date;
}

/**
 * Inngest's Event API, `POST /e/<event key>`, so that a sender changes only a URL. Answers `{ids, status}`; an error
 * brings `error` and a status that tells the sender whether to come again. `?wait=1` runs quick jobs first.
 */
export function createEventsHandler(options: EventsHandlerOptions): (request: Request) => Promise<Response> {
  const { accept, eventKey, onRequest, now } = options;
  const isAccepted = eventKey === undefined ? undefined : createKeyMatch([eventKey]);
  return async (request) => {
    try {
      if (request.method !== 'POST')
        return refuse(405, `expected POST, got ${request.method}`, { allow: 'POST' });
      const url = new URL(request.url);
      const key = presentedKey(url.pathname);
      if (key === '') return refuse(401, 'Event key is required');
      if (isAccepted && !(await isAccepted([key]))) return refuse(401, 'Event key not found');
      onRequest();
      const seed = request.headers.get('x-inngest-event-id-seed');
      const events = await readEvents(request, createEventIds(seed, now()));
      await accept(events, { runQuickJobs: /^(1|true)$/.test(url.searchParams.get('wait') ?? '') });
      return answer({ ids: events.map(({ id }) => id), status: 200 });
    } catch (error) {
      return answerFailure(error, options);
    }
  };
}

/** What follows `/e/`, or the function's own address. */
function presentedKey(path: string): string {
  const [, encoded = ''] = /\/(?:e|events)\/([^/]+)\/?$/.exec(path) ?? [];
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

function answerFailure(error: unknown, { log }: EventsHandlerOptions): Response {
  if (error instanceof BadEventsError) return refuse(error.status, error.message);
  if (error instanceof RefusedEventError) return refuse(400, `events[${error.index}]: ${error.message}`);
  log.error({ err: error }, 'could not take events');
  if (error instanceof DatabaseUnreachableError || (error instanceof RpcError && mayPass(error)))
    return refuse(503, 'the database is away, try again', { 'retry-after': '5' });
  return refuse(500, 'internal error');
}

function refuse(status: number, error: string, headers: Record<string, string> = {}): Response {
  return answer({ ids: [], status, error }, headers);
}

function answer(body: { ids: string[]; status: number; error?: string }, headers = {}): Response {
  return Response.json(body, { status: body.status, headers: { 'cache-control': 'no-store', ...headers } });
}
