import { afterAll, expect, test } from 'vitest';
import { createTestDatabase } from '../../tests/support/database.ts';

const database = await createTestDatabase();
afterAll(() => database.close());

test('a function answers', async () => {
  await database.pool.query(
    `create function add(a integer, b integer default 2) returns integer language sql as 'select a + b'`,
  );
  await expect(database.rpc('add', { a: 1 })).resolves.toBe(3);
});
