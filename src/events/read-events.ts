import { z } from 'zod';
import { makeTextStorable } from '../queue/storable-json.ts';
import type { JobEvent } from '../router/event.ts';
import { readBodyText } from '../runtime/body-text.ts';

/** Inngest's limit of one request, `MaxEvents` in its pkg/consts/consts.go. */
const largestBatch = 5_000;
/** Netlify's limit for a request's body. */
const bodyLimitBytes = 6 * 1024 * 1024;
/** Together with the job type it has to fit into an idempotency key of 1,000 bytes. */
const longestIdBytes = 900;
/** Inngest takes no event of another time. */
const earliest = Date.UTC(1980, 0, 1);
const latest = Date.UTC(2100, 0, 1);

/** The request holds no events, or malformed ones. */
export class BadEventsError extends Error {
  override readonly name = 'BadEventsError';
  readonly status: 400 | 413;

  constructor(message: string, status: 400 | 413 = 400) {
    super(message);
    this.status = status;
  }
}

const eventTime = z
  .int('a whole number of milliseconds since 1970')
  .min(earliest, 'a time from 1980 on')
  .max(latest, 'a time before 2100');

/** What Inngest checks of an event. Other fields are passed over. */
const eventSchema = z.object(
  {
    name: z
      .string('a non-empty string')
      .min(1, 'a non-empty string')
      .refine(
        (name) => !name.startsWith('inngest/'),
        "a name outside inngest/, which is for Inngest's own events",
      ),
    data: z.record(z.string(), z.unknown(), 'an object').nullish(),
    id: z.string('a string').refine(isStorableId, `at most ${longestIdBytes} bytes of text`).nullish(),
    ts: eventTime.nullish(),
    user: z.record(z.string(), z.unknown(), 'an object').nullish(),
    v: z.string('a string').nullish(),
  },
  'an object',
);

/**
 * Reads a request of the Event API: one event, or an array of them.
 * @param newId - the id of the event at this position, from 1, when it brings none
 * @throws {BadEventsError} names the event by its position, from 0, and the field that is wrong
 */
export async function readEvents(
  request: Request,
  newId: (position: number) => string,
): Promise<(JobEvent & { id: string })[]> {
  const text = await readBodyText(request, bodyLimitBytes);
  if (text === null) throw new BadEventsError('body: expected at most 6 MB', 413);
  const body = parseJson(text);
  const events: unknown[] = Array.isArray(body) ? body : [body];
  if (events.length > largestBatch)
    throw new BadEventsError(`body: expected at most ${largestBatch} events, got ${events.length}`);
  return events.map((event, index) => toJobEvent(event, index, newId(index + 1)));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new BadEventsError('body: expected JSON, an event or an array of events');
  }
}

function toJobEvent(value: unknown, index: number, newId: string): JobEvent & { id: string } {
  const { data: event, error } = eventSchema.safeParse(value);
  if (error) {
    const [issue] = error.issues;
    const field = ['', ...(issue?.path ?? [])].join('.');
    throw new BadEventsError(`events[${index}]${field}: expected ${issue?.message}`);
  }
  const { name, data, id, ts } = event;
  return { name, data: withoutInngests(data ?? {}), id: id || newId, ...(ts ? { ts } : {}) };
}

/** Inngest removes its own part from events that people send, such as copies of an event that invoked a function. */
function withoutInngests({ _inngest, ...data }: Record<string, unknown>): Record<string, unknown> {
  return data;
}

function isStorableId(id: string): boolean {
  return makeTextStorable(id) === id && new TextEncoder().encode(id).byteLength <= longestIdBytes;
}
