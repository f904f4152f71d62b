import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encryptionKeys } from '../runtime/encryption-keys.ts';
import { localEncryptionKey, localKeys } from './local-keys.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keys-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('keys are made once, for their owner only', async () => {
  const file = join(folder, 'keys.json');
  const keys = await localKeys(file);
  expect(keys.secret).toMatch(/^sb_secret_.{32}$/);
  expect(await localKeys(file)).toEqual(keys);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
});

test('the encryption key is one, stays the same with the keys, and is of this machine', async () => {
  const keys = await localKeys(join(folder, 'keys.json'));
  expect(encryptionKeys(localEncryptionKey(keys))).toHaveLength(1);
  expect(localEncryptionKey(await localKeys(join(folder, 'keys.json')))).toBe(localEncryptionKey(keys));
  const others = await localKeys(join(folder, 'others.json'));
  expect(localEncryptionKey(others)).not.toBe(localEncryptionKey(keys));
});

test.each(['{"secret": "sb_secret_of_somebody"', '{"secret": "sb_secret_of_somebody"}'])(
  'a damaged file is named, and none of its keys: %s',
  async (text) => {
    const file = join(folder, 'keys.json');
    await writeFile(file, text);
    const error = await localKeys(file).catch((thrown: unknown) => String(thrown));
    expect(error).toContain(file);
    expect(error).not.toContain('of_somebody');
    expect(await readFile(file, 'utf8')).toBe(text);
  },
);
