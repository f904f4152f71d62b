import pg from 'pg';
import { pause } from '../queue/alarm.ts';
import type { Logger } from '../runtime/logger.ts';

/** What `job_queue.ring()` notifies. */
const channel = 'background_job_ready';

/** A lost connection is opened again after so many milliseconds. */
const reconnectMs = 1_000;

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
  log: Logger;
}): Doorbell {
  const { connection, ring, log } = options;
  const closing = new AbortController();

  async function listenUntilLost(): Promise<void> {
    const client = new pg.Client(connection);
    const lost = new Promise<void>((resolve) => {
      client.once('end', () => resolve());
      client.on('error', () => resolve());
      closing.signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await client.connect();
      client.on('notification', ring);
      await client.query(`listen ${channel}`);
      ring();
      await lost;
    } finally {
      await client.end();
    }
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
