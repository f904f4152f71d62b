import { describe, expect, test } from 'vitest';
import { productFiles, type Import, type SourceFile } from './support/imports.ts';

/**
 * What a room may import values from, beside itself: paths from the root and package names, as prefixes.
 * Types may come from anywhere in `src/`, with the exception below.
 */
const rooms: Record<string, readonly string[]> = {
  'src/jobs/': ['croner', 'zod'],
  'src/runtime/': ['pino', 'node:dns', 'node:http', 'node:https'],
  'src/secrets/': ['src/jobs/outcomes.ts'],
  'src/quotas/': ['src/database/rpc.ts', 'src/runtime/'],
  'src/openai/': ['src/jobs/outcomes.ts', 'src/quotas/', 'src/runtime/', 'openai'],
  'src/github/': ['src/quotas/', 'src/jobs/outcomes.ts', 'src/runtime/', '@octokit/'],
  'src/database/': ['src/runtime/', 'pg', '@supabase/supabase-js', 'node:crypto'],
  'src/queue/': ['src/jobs/', 'src/database/rpc.ts', 'src/runtime/', 'src/secrets/', 'zod'],
  'src/process-job/': ['src/queue/', 'src/jobs/', 'src/database/rpc.ts', 'src/runtime/', 'zod'],
  'src/router/': [
    'src/queue/',
    'src/jobs/',
    'src/database/',
    'src/github/',
    'src/openai/',
    'src/secrets/',
    'src/runtime/',
    'inngest',
    'zod',
  ],
  'src/events/': ['src/router/', 'src/queue/', 'src/database/rpc.ts', 'src/runtime/', 'zod'],
  'src/analysis/': [
    'src/router/',
    'src/queue/persist.ts',
    'src/jobs/outcomes.ts',
    'src/database/',
    'src/runtime/',
    'zod',
  ],
  'src/worker/': [
    'src/queue/',
    'src/jobs/',
    'src/database/',
    'src/runtime/',
    'pg',
    'graphile-worker',
    'croner',
    'node:http',
    'node:fs/promises',
    'node:path',
    '@huggingface/transformers',
  ],
};

/** Puts `process-job` together for a host; its entry point would be too long otherwise. */
const assembly = 'src/process-job/edge-process-job.ts';

const entryPoint = /^(netlify\/functions\/[^/]+|supabase\/functions\/[^/]+\/index|src\/cli\/[^/]+)\.ts$/;
const files = ['src', 'netlify/functions', 'supabase/functions'].flatMap(productFiles);

/** One line for each import of `file` that `isWrong`. */
const arrows = (file: SourceFile, isWrong: (imported: Import) => boolean) =>
  file.imports.filter(isWrong).map(({ target }) => `${file.path} → ${target}`);
const isOneOf = (prefixes: readonly string[], target: string) =>
  prefixes.some(
    (prefix) => target === prefix || target.startsWith(prefix.endsWith('/') ? prefix : `${prefix}/`),
  );

describe('the direction of imports', () => {
  test.each(Object.entries(rooms))('%s imports only what it may', (room, allowed) => {
    const members = files.filter(({ path }) => path.startsWith(room) && path !== assembly);
    const isWrong = ({ target, typeOnly }: Import) => !typeOnly && !isOneOf([room, ...allowed], target);
    expect(members).not.toEqual([]);
    expect(members.flatMap((file) => arrows(file, isWrong))).toEqual([]);
  });

  test('a job knows nothing of routers, hosts and commands, not even their types', () => {
    const jobs = files.filter(({ path }) => path.startsWith('src/jobs/'));
    const outside = ['src/router/', 'src/process-job/', 'src/local/', 'src/cli/'];
    expect(jobs.flatMap((file) => arrows(file, ({ target }) => isOneOf(outside, target)))).toEqual([]);
  });

  test('only commands import commands, and nothing that is deployed imports the local stack', () => {
    const wrong = files.flatMap((file) => {
      if (file.path.startsWith('src/cli/')) return [];
      const forbidden = file.path.startsWith('src/local/') ? ['src/cli/'] : ['src/cli/', 'src/local/'];
      return arrows(file, ({ target }) => isOneOf(forbidden, target));
    });
    expect(wrong).toEqual([]);
  });

  test('nothing imports an entry point, a test or a benchmark', () => {
    const isOutside = ({ target }: Import) =>
      entryPoint.test(target) || target.includes('.test.') || isOneOf(['tests/', 'bench/'], target);
    expect(files.flatMap((file) => arrows(file, isOutside))).toEqual([]);
  });

  test('every room is known here', () => {
    const known = [...Object.keys(rooms), 'src/local/', 'src/cli/', 'netlify/', 'supabase/'];
    expect(files.map(({ path }) => path).filter((path) => !isOneOf(known, path))).toEqual([]);
  });
});

describe('entry points', () => {
  test('alone read the environment and touch Deno', () => {
    const others = files.filter(({ path }) => !entryPoint.test(path));
    expect(
      others.filter(({ globals }) => globals.length > 0).map(({ path, globals }) => [path, globals]),
    ).toEqual([]);
  });

  test('have at most 40 lines', () => {
    const long = files.filter(({ path, lines }) => entryPoint.test(path) && lines > 40);
    expect(long.map(({ path, lines }) => `${path}: ${lines}`)).toEqual([]);
  });
});
