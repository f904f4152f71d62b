import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { startGateway, type Gateway } from '../../src/local/gateway.ts';
import { createTestDatabase, expectSoundQueue, type TestDatabase } from '../support/database.ts';
import { testKeys } from '../support/drivers.ts';
import { silentLogger } from '../support/silent-logger.ts';

export interface Answer<Body = unknown> {
  status: number;
  body: Body;
}

/** Who calls: claims of a user's access token, or one of the keys alone. */
export type Caller = Record<string, unknown> | 'nobody' | 'service';

export const operator = {
  sub: 'a0000000-0000-4000-8000-000000000001',
  email: 'operator@example.com',
  role: 'authenticated',
  app_metadata: { role: 'job_operator' },
};

export interface OperatorDesk {
  database(): TestDatabase;
  /** Calls a function through the gateway, as the browser does. */
  call<Body = unknown>(name: string, args?: object, caller?: Caller): Promise<Answer<Body>>;
  /** The answer's body; throws when it is a refusal. */
  ask<Body>(name: string, args?: object): Promise<Body>;
  sql<Row>(text: string, values?: unknown[]): Promise<Row[]>;
  enqueue(...jobs: Record<string, unknown>[]): Promise<string[]>;
  /** Claims the named job and fails it for good. */
  bury(id: string, message?: string): Promise<void>;
}

/** A database of its own for the file, behind a gateway; its queue is found sound after each test. */
export function useOperatorDesk(): OperatorDesk {
  let database: TestDatabase;
  let gateway: Gateway;

  beforeAll(async () => {
    database = await createTestDatabase();
    gateway = await startGateway({ databaseUrl: database.url, keys: testKeys, log: silentLogger });
  });
  afterEach(async () => {
    await expectSoundQueue(database.pool);
  });
  afterAll(async () => {
    await gateway.close();
    await database.close();
  });

  const desk: OperatorDesk = {
    database: () => database,
    async call<Body>(name: string, args = {}, caller: Caller = operator) {
      const response = await fetch(`${gateway.url}/rest/v1/rpc/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(await keysOf(caller)) },
        body: JSON.stringify(args),
      });
      const text = await response.text();
      return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as Body };
    },
    async ask<Body>(name: string, args = {}) {
      const { status, body } = await desk.call<Body>(name, args);
      if (status >= 300) throw new Error(`${name} answered ${status}: ${JSON.stringify(body)}`);
      return body;
    },
    async sql<Row>(text: string, values: unknown[] = []) {
      return (await database.pool.query(text, values)).rows as Row[];
    },
    async enqueue(...jobs) {
      const text = 'select id from enqueue_background_jobs($1)';
      return (await desk.sql<{ id: string }>(text, [JSON.stringify(jobs)])).map(({ id }) => id);
    },
    async bury(id, message = 'boom') {
      const claim = 'select lease_token from claim_background_job($1, $2, 60)';
      const [held] = await desk.sql<{ lease_token: string }>(claim, [id, 'test worker']);
      const error = JSON.stringify({ name: 'Error', message });
      await desk.sql('select fail_background_job($1, $2, $3, false)', [id, held?.lease_token, error]);
    },
  };
  return desk;
}

async function keysOf(caller: Caller): Promise<Record<string, string>> {
  if (caller === 'service') return { apikey: testKeys.secret };
  if (caller === 'nobody') return { apikey: testKeys.publishable };
  const token = new SignJWT(caller).setProtectedHeader({ alg: 'HS256' }).setExpirationTime('1h');
  const signed = await token.sign(new TextEncoder().encode(testKeys.jwtSecret));
  return { apikey: testKeys.publishable, authorization: `Bearer ${signed}` };
}
