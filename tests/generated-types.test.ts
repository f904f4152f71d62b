import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { generatedTypesFile, generateTypes } from '../src/local/generated-types.ts';
import { generateNeededSchema, neededSchemaFile } from '../src/local/needed-schema.ts';
import { createTestDatabase, type TestDatabase } from './support/database.ts';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => await database.close());

test('the generated types are those of the database that the migrations make', async () => {
  const kept = await readFile(generatedTypesFile, 'utf8');
  const generated = await generateTypes(database.url);
  expect(
    generated,
    'src/database/generated-types.ts is not what the migrations make: run `npm run types:generate` and commit the file',
  ).toBe(kept);
});

test('the code needs the newest migration', async () => {
  const kept = await readFile(neededSchemaFile, 'utf8');
  const hint = 'src/database/needed-schema.ts is behind: run `npm run types:generate` and commit the file';
  expect(await generateNeededSchema(), hint).toBe(kept);
});

test('a database with one argument more has other types', async () => {
  const before = await generateTypes(database.url);
  await database.pool.query(
    `create function track_two(one uuid, two uuid) returns boolean language sql as 'select true'`,
  );
  const after = await generateTypes(database.url);
  expect(before).not.toContain('track_two');
  expect(after).toContain('track_two: { Args: { one: string; two: string }; Returns: boolean };');
});
