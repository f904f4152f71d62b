import type { EventApi } from '../jobs/job-context.ts';
import type { Accept } from '../router/accept.ts';
import type { Logger } from '../runtime/logger.ts';

export interface SendEventOptions {
  /** Null: Inngest is not to be asked. */
  inngestEvents: EventApi | null;
  accept: Accept;
  fetch: typeof fetch;
  log: Logger;
}

/** An event with an id, so that sending it again, by the same way or another, starts nothing twice. */
interface IdentifiedEvent {
  id: string;
  name: string;
  data: Record<string, unknown>;
}

/** Inngest has so long to take an event, in milliseconds: somebody waits for the answer. */
const patienceMs = 2_000;

/**
 * Sends an event to Inngest, where its run can be watched, and straight to the queue where Inngest does not take it. An
 * event that was sent before goes to the queue: Inngest, which drops a known id, may have lost it.
 * @throws {DatabaseUnreachableError} neither took it: send it again
 */
export function createSendEvent(options: SendEventOptions) {
  const { inngestEvents, accept } = options;
  return async (event: IdentifiedEvent, { isRepeated }: { isRepeated: boolean }): Promise<void> => {
    if (!isRepeated && inngestEvents && (await isTaken(event, inngestEvents, options))) return;
    await accept([event]);
  };
}

async function isTaken(
  event: IdentifiedEvent,
  { url, headers }: EventApi,
  { fetch, log }: SendEventOptions,
): Promise<boolean> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify([event]),
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMs),
    });
    await response.body?.cancel();
    if (response.ok) return true;
    log.warn({ status: response.status, event: event.name }, 'Inngest did not take an event');
  } catch {
    // The error may name the URL, and with it the key.
    log.info({ event: event.name }, 'Inngest could not be reached');
  }
  return false;
}
