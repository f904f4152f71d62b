import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { createDashboardBuild } from './dashboard-build.ts';

let root: string;
const inRoot = (path: string) => join(root, path);

/** A stand-in for Vite's command, which takes seconds: writes what it was called with, and notes each call. */
const vite = `
  import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
  const [command, folder, , outDir] = process.argv.slice(2);
  appendFileSync('calls', command + '\\n');
  mkdirSync(outDir, { recursive: true });
  writeFileSync(outDir + '/index.html', command + ' ' + folder);`;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'build-'));
  await mkdir(inRoot('node_modules/vite/bin'), { recursive: true });
  await mkdir(inRoot('dashboard/src'), { recursive: true });
  await writeFile(inRoot('package.json'), '{"type":"module"}');
  await writeFile(inRoot('node_modules/vite/bin/vite.js'), vite);
  await writeFile(inRoot('node_modules/vite/package.json'), '{"type":"module"}');
  await writeFile(inRoot('dashboard/src/main.tsx'), '1');
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const build = () => createDashboardBuild(root, silentLogger).folder();
const calls = async () => (await readFile(inRoot('calls'), 'utf8')).trim().split('\n').length;

test('what was never built is built, into dashboard/dist and nowhere else', async () => {
  const dist = await build();
  expect(dist).toBe(inRoot('dashboard/dist'));
  expect(await readFile(join(dist, 'index.html'), 'utf8')).toBe('build dashboard');
  expect((await readdir(inRoot('dashboard'))).sort()).toEqual(['dist', 'src']);
});

test('it is built again when a source has changed since, and only then', async () => {
  await build();
  await build();
  expect(await calls()).toBe(1);
  const later = new Date(Date.now() + 60_000);
  await utimes(inRoot('dashboard/src/main.tsx'), later, later);
  await build();
  expect(await calls()).toBe(2);
});

test('whoever asks meanwhile waits for the same build', async () => {
  const dashboard = createDashboardBuild(root, silentLogger);
  await Promise.all([dashboard.folder(), dashboard.folder(), dashboard.folder()]);
  expect(await calls()).toBe(1);
});

test('two stacks may build at once', async () => {
  await Promise.all([build(), build()]);
  expect(await readFile(inRoot('dashboard/dist/index.html'), 'utf8')).toBe('build dashboard');
});

test('a build that fails says why, leaves the old one, and the next request tries again', async () => {
  await build();
  const later = new Date(Date.now() + 60_000);
  await writeFile(
    inRoot('node_modules/vite/bin/vite.js'),
    `console.error('no such module'); process.exit(3);`,
  );
  await utimes(inRoot('dashboard/src/main.tsx'), later, later);
  const dashboard = createDashboardBuild(root, silentLogger);
  await expect(dashboard.folder()).rejects.toThrow(/vite build ended with 3: no such module/);
  expect((await readdir(inRoot('dashboard'))).sort()).toEqual(['dist', 'src']);
  await writeFile(inRoot('node_modules/vite/bin/vite.js'), vite);
  expect(await dashboard.folder()).toBe(inRoot('dashboard/dist'));
});

test('a stop ends the build', async () => {
  await writeFile(inRoot('node_modules/vite/bin/vite.js'), `setInterval(() => {}, 1000);`);
  const dashboard = createDashboardBuild(root, silentLogger);
  const waiting = expect(dashboard.folder()).rejects.toThrow(/abort/i);
  await dashboard.stop();
  await waiting;
});
