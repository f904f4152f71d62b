import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { builtDashboard } from '../support/dashboard.ts';

/** Of JavaScript, compressed with gzip. */
const BUDGET_BYTES = 200_000;

/** What the overview asks for by itself, after the code of the page. */
const LAZY = ['src/pages/overview/throughput.tsx'];

/** Of Vite's manifest: where a chunk is, and what it imports at once and later. */
interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
  dynamicImports?: string[];
}

let dist: string;
let manifest: Record<string, Chunk>;

beforeAll(async () => {
  dist = await builtDashboard();
  manifest = JSON.parse(await readFile(join(dist, '.vite/manifest.json'), 'utf8')) as typeof manifest;
});

function entry(): string {
  const [name] = Object.entries(manifest).find(([, { isEntry }]) => isEntry) ?? [];
  if (name === undefined) throw new Error('the manifest names no entry');
  return name;
}

/** These chunks and all that they import at once. */
function closure(names: string[]): string[] {
  const found = new Set(names);
  for (const name of found) for (const imported of manifest[name]?.imports ?? []) found.add(imported);
  return [...found];
}

test('the overview with its chart loads less than 200 kB of JavaScript', async () => {
  expect(LAZY.filter((name) => !manifest[name])).toEqual([]);
  const files = closure([entry(), ...LAZY]).map((name) => manifest[name]?.file ?? '');
  const sizes = await Promise.all(
    files.map(async (file) => gzipSync(await readFile(join(dist, file))).byteLength),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  expect(total).toBeGreaterThan(100_000);
  expect(total).toBeLessThan(BUDGET_BYTES);
});

test('the other pages, the chart, the forms and the dialogs are loaded when they are asked for', () => {
  const first = closure([entry()]);
  const later = Object.keys(manifest).filter((name) => name.startsWith('src/') && !first.includes(name));
  for (const part of [
    'jobs-page',
    'job-page',
    'enqueue-page',
    'throughput',
    'confirm-dialog',
    'sign-in-form',
  ])
    expect(later.filter((name) => name.endsWith(`${part}.tsx`))).toHaveLength(1);
});
