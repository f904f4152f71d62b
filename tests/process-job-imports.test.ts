import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { denoPath } from '../src/local/deno-path.ts';
import { root } from './support/imports.ts';

interface Graph {
  roots: string[];
  modules: {
    specifier: string;
    dependencies?: { code?: { specifier: string }; isDynamic?: boolean }[];
  }[];
}

const entryFile = join(root, 'supabase/functions/process-job/index.ts');

let atStart: string[];
let later: string[];

beforeAll(async () => {
  const command = ['info', '--json', '--config', join(root, 'deno.json'), entryFile];
  const { stdout } = await promisify(execFile)(denoPath, command, { maxBuffer: 64 * 1024 * 1024 });
  const { roots, modules } = JSON.parse(stdout) as Graph;
  const bySpecifier = new Map(modules.map((module) => [module.specifier, module]));
  const reached = new Set(roots);
  const dynamic = new Set<string>();
  for (const specifier of reached)
    for (const { code, isDynamic } of bySpecifier.get(specifier)?.dependencies ?? [])
      if (code) (isDynamic ? dynamic : reached).add(code.specifier);
  atStart = [...reached].map(nameOf);
  later = [...dynamic].map(nameOf).filter((name) => !atStart.includes(name));
});

/** A package's name, or a path from the root. */
function nameOf(specifier: string): string {
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(specifier);
  return inPackage?.[1] ?? specifier.replace(pathToFileURL(root).href, '');
}

const isOurs = (name: string): boolean => /^(src|supabase)\//.test(name);

describe('what process-job loads before its first claim', () => {
  test('is no job and no GitHub', () => {
    expect(atStart).toContain('src/process-job/handler.ts');
    const late = atStart.filter((name) => /^src\/(jobs|github|analysis|router\/router)/.test(name));
    expect(late).toEqual(['src/jobs/outcomes.ts']);
  });

  test('is of packages supabase-js and the logger alone', () => {
    expect(atStart.filter((name) => !isOurs(name)).sort()).toEqual(['@supabase/supabase-js', 'pino']);
  });

  test('names the rest in imports that a bundler finds', () => {
    expect(later).toEqual(expect.arrayContaining(['src/jobs/catalog.ts', 'src/github/shared-github.ts']));
  });
});
