import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';

const heldMs = 20_000;

export const longTransaction: Fault = {
  name: 'long-transaction',
  what: `a transaction pins the oldest snapshot for ${heldMs / 1000} s, so that nothing that the queue deletes can be cleaned up`,
  strikes: { full: 1, quick: 0 },
  async strike(system) {
    const client = await system.pool().connect();
    try {
      await client.query(
        'begin isolation level repeatable read; select txid_current(), count(*) from background_jobs',
      );
      await sleep(heldMs);
      await client.query('rollback');
    } finally {
      client.release();
    }
  },
};
