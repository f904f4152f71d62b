import pg from 'pg';
import { createSessionRpc } from '../database/pg-rpc.ts';
import { pause } from '../queue/alarm.ts';
import { createJobQueue } from '../queue/job-queue.ts';
import type { Logger } from '../runtime/logger.ts';
import type { Offer } from './offer.ts';

/** What `job_queue.ring()` notifies. */
const readyChannel = 'background_job_ready';

/** A lost connection is opened again after so many milliseconds. */
const reconnectMs = 1_000;

/** An answer on the listening connection takes a millisecond; one that does not come for so long, never will. */
const answerMs = 5_000;

/** A connection that listens for the bell. */
export interface Doorbell {
  close(): Promise<void>;
}

/**
 * Listens on a connection of its own (direct or session mode: a transaction pooler forgets LISTEN), and opens it again
 * when it is lost. Rings, too, whenever it has begun to listen: what came before was not heard.
 */
export function openDoorbell(options: {
  connection: pg.ClientConfig;
  ring: () => void;
  /** Made under this connection. */
  offers?: readonly Offer[];
  log: Logger;
}): Doorbell {
  const { connection, ring, offers = [], log } = options;
  const closing = new AbortController();

  async function listenUntilLost(): Promise<void> {
    // Little is ever sent on it: without probes a cable that was pulled would go unnoticed.
    const client = new pg.Client({
      ...connection,
      query_timeout: answerMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const { promise: lost, resolve } = Promise.withResolvers<void>();
    let reason = 'the connection ended';
    client.once('end', () => resolve());
    client.on('error', (error) => {
      reason = error.message;
      resolve();
    });
    const stop = (): void => resolve();
    closing.signal.addEventListener('abort', stop);
    try {
      await client.connect();
      client.on('notification', ({ channel, payload = '' }) => {
        if (channel === readyChannel) ring();
        else for (const offer of offers) offer.heard(channel, payload);
      });
      await client.query(`listen ${readyChannel}`);
      await openOffers(client);
      ring();
      await lost;
      if (!closing.signal.aborted) log.warn({ error: reason }, 'the bell was lost, listening again soon');
    } finally {
      for (const offer of offers) offer.lost();
      closing.signal.removeEventListener('abort', stop);
      await client.end();
    }
  }

  /** Each connection has offers of its own: those of a lost one may hold for a while. */
  async function openOffers(client: pg.Client): Promise<void> {
    const names = offers.map(() => crypto.randomUUID());
    for (const name of names) {
      // A channel of its own: jobs come there, and whoever knows a channel hears what comes.
      await client.query(`listen "${name}"`);
      await client.query(`select pg_advisory_lock(hashtextextended('background_job_offers:' || $1, 0))`, [
        name,
      ]);
    }
    const queue = createJobQueue(createSessionRpc(client));
    const close = (): Promise<void> => client.end();
    for (const [index, offer] of offers.entries()) offer.listening({ name: names[index]!, queue, close });
  }

  async function run(): Promise<void> {
    while (!closing.signal.aborted) {
      try {
        await listenUntilLost();
      } catch (error) {
        log.warn({ error: String(error) }, 'the bell cannot be heard; jobs are found by looking');
      }
      await pause(reconnectMs, closing.signal);
    }
  }

  const done = run();
  return {
    async close() {
      closing.abort();
      await done;
    },
  };
}
