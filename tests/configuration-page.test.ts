import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EnvRecord } from '../src/runtime/config-reader.ts';
import { parseEndpointConfig, parseProcessJobConfig, parseWorkerConfig } from '../src/runtime/config.ts';
import { pageAt } from './docs/pages.ts';
import { tableRows } from './docs/tables.ts';
import { root } from './support/imports.ts';

interface Variable {
  name: string;
  type: string;
  default: string;
  readers: string[];
}

const variables: Variable[] = tableRows(pageAt('docs/configuration.md')).map((row) => ({
  name: row['variable'] ?? '',
  type: row['type'] ?? '',
  default: row['default'] ?? '',
  readers: (row['read by'] ?? '').split(', '),
}));

const supabase = { SUPABASE_URL: 'http://127.0.0.1:54321', SUPABASE_SECRET_KEY: 'sb_secret_one' };

/** The readers that parse their environment, each with the least that it needs. */
const parsers: Record<string, { parse: (env: EnvRecord) => unknown; least: Record<string, string> }> = {
  functions: { parse: parseEndpointConfig, least: { ...supabase, INNGEST_SIGNING_KEY: 'signkey-prod-1' } },
  'process-job': { parse: parseProcessJobConfig, least: supabase },
  worker: { parse: parseWorkerConfig, least: { DATABASE_URL: 'postgres://127.0.0.1/jobs' } },
};

/** The other readers, and where they read. */
const sources: Record<string, string> = { start: 'src/local', build: 'dashboard/vite.config.ts' };

/** Every name that is asked for, in development and in production. */
function namesReadBy(parse: (env: EnvRecord) => unknown): Set<string> {
  const names = new Set<string>();
  for (const env of [{}, { INNGEST_DEV: '1' }, { CONTEXT: 'deploy-preview' }] as EnvRecord[]) {
    const listening = new Proxy(env, {
      get: (target, name: string) => {
        names.add(name);
        return target[name];
      },
    });
    // Nearly everything is missing; that is told after all has been read.
    expect(() => parse(listening)).toThrow('expected');
  }
  return names;
}

/** The names that a file, or the files of a folder, write as a text. */
function namesWrittenIn(path: string): Set<string> {
  const files = path.endsWith('.ts')
    ? [path]
    : readdirSync(join(root, path), { encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
        .map((file) => join(path, file));
  const text = files.map((file) => readFileSync(join(root, file), 'utf8')).join('\n');
  return new Set([...text.matchAll(/'([A-Z][A-Z_]+)'/g)].map(([, name = '']) => name));
}

const readBy = new Map([
  ...Object.entries(parsers).map(([reader, { parse }]) => [reader, namesReadBy(parse)] as const),
  ...Object.entries(sources).map(([reader, path]) => [reader, namesWrittenIn(path)] as const),
]);

const refusal = (work: () => unknown): string => {
  try {
    work();
    return 'nothing was refused';
  } catch (error) {
    return String(error);
  }
};

describe('docs/configuration.md', () => {
  test('lists every variable that is read, once, and no other', () => {
    const names = variables.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
    const read = Object.keys(parsers).flatMap((reader) => [...(readBy.get(reader) ?? [])]);
    const elsewhere = ['VITE_SUPABASE_PUBLISHABLE_KEY', 'SUPABASE_PUBLISHABLE_KEY'];
    expect(names.toSorted()).toEqual([...new Set([...read, ...elsewhere])].toSorted());
  });

  test.each(variables)('says of $name who reads it, as what, and what holds without it', (variable) => {
    const { name, type, readers } = variable;
    for (const reader of readers) expect(readBy.get(reader) ?? new Set()).toContain(name);
    for (const [reader, { parse, least }] of Object.entries(parsers)) {
      if (!readers.includes(reader)) continue;
      if (type !== 'text')
        expect(refusal(() => parse({ ...least, SUPABASE_URL: '', [name]: 'no — such value' }))).toContain(
          `${name}: expected ${type}, got`,
        );
      if (/^[^ ]+$/.test(variable.default) && !['none', 'required'].includes(variable.default))
        expect(parse({ ...least, [name]: variable.default })).toEqual(parse(least));
      const isRequired = variable.default === 'required' && name in least;
      if (isRequired) expect(refusal(() => parse({ ...least, [name]: '' }))).toContain(name);
    }
  });
});
