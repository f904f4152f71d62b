import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readSource, root } from './support/imports.ts';

interface Lock {
  packages: Record<string, { version?: string } | undefined>;
}

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));
const lock = readJson('package-lock.json') as Lock;
const { workspace } = readJson('deno.json') as { workspace: string[] };
const functions = readdirSync(join(root, 'supabase/functions'), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** Everything that a function carries, found from its entry as the Supabase CLI does when it deploys. */
function packagesOf(entry: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>([entry]);
  for (const path of seen)
    for (const { target, specifier, typeOnly } of readSource(path).imports) {
      if (specifier.startsWith('.')) seen.add(target);
      else if (!typeOnly && !specifier.startsWith('node:')) packages.add(specifier);
    }
  return packages;
}

const packageName = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');

/** `npm:<name>@<locked version>/<subpath>`. */
function pinned(specifier: string): string {
  const name = packageName(specifier);
  const version = lock.packages[`node_modules/${name}`]?.version ?? 'not in package-lock.json';
  return `npm:${name}@${version}${specifier.slice(name.length)}`;
}

describe.each(functions)('the Edge Function %s', (name) => {
  const { imports } = readJson(`supabase/functions/${name}/deno.json`) as { imports: Record<string, string> };
  const reached = packagesOf(`supabase/functions/${name}/index.ts`);

  test('maps every package that it reaches to the locked version', () => {
    const expected = Object.fromEntries([...reached].map((specifier) => [specifier, pinned(specifier)]));
    expect(imports).toMatchObject(expected);
  });

  test('maps nothing that it does not reach', () => {
    const used = new Set([...reached].flatMap((specifier) => [specifier, packageName(specifier)]));
    expect(Object.keys(imports).filter((specifier) => !used.has(specifier))).toEqual([]);
  });

  test('maps to exact versions of npm packages only', () => {
    expect(Object.entries(imports)).toEqual(
      Object.keys(imports).map((specifier) => [specifier, pinned(specifier)]),
    );
  });

  test('is a member of the Deno workspace', () => {
    expect(workspace).toContain(`./supabase/functions/${name}`);
  });
});
