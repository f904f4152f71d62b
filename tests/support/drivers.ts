import type pg from 'pg';
import { describe } from 'vitest';
import type { UncheckedRpc } from '../../src/database/rpc.ts';
import { createSupabaseClientRpc } from '../../src/database/supabase-rpc.ts';
import { startGateway } from '../../src/local/gateway.ts';
import { createTestDatabase } from './database.ts';
import { silentLogger } from './silent-logger.ts';

/** A fresh database behind one of the two drivers. */
export interface OpenDriver {
  rpc: UncheckedRpc;
  /** Direct access as superuser, to prepare and to look. */
  pool: pg.Pool;
  close(): Promise<void>;
}

export interface Driver {
  name: string;
  open: () => Promise<OpenDriver>;
}

/** Keys of the gateways that tests start. */
export const testKeys = {
  secret: 'sb_secret_for_tests',
  publishable: 'sb_publishable_for_tests',
  jwtSecret: 'a secret of more than thirty-two characters',
};

const drivers: Driver[] = [
  { name: 'pg over TCP', open: async () => await createTestDatabase() },
  { name: 'supabase-js over HTTP', open: openBehindGateway },
];

/** Runs one suite against both drivers of the `Rpc` port. */
export function describeDrivers(name: string, suite: (driver: Driver) => void): void {
  describe.each(drivers)(`${name}, $name`, suite);
}

/** PostgREST-like HTTP in front of a fresh database, as edge and Netlify functions reach it. */
export async function openBehindGateway(): Promise<OpenDriver> {
  const database = await createTestDatabase();
  const gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, log: silentLogger });
  return {
    rpc: createSupabaseClientRpc({ url: gateway.url, key: testKeys.secret }),
    pool: database.pool,
    close: async () => {
      await gateway.close();
      await database.close();
    },
  };
}
