import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { createChildNotes, killLeftovers } from './leftovers.ts';
import { identify } from './process-identity.ts';

let folder: string;
let notes: string;
let child: ChildProcess;
let pid: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'leftovers-'));
  notes = join(folder, 'children.json');
  child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  pid = child.pid ?? 0;
});

afterEach(async () => {
  child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

const hasEnded = () => child.exitCode !== null || child.signalCode !== null;

test('ends a noted child that still runs', async () => {
  createChildNotes(notes, silentLogger)([pid]);
  await vi.waitFor(async () => expect(await readFile(notes, 'utf8')).toContain(String(pid)));
  await killLeftovers(notes, silentLogger);
  await vi.waitFor(() => expect(hasEnded()).toBe(true));
});

test('spares a process that got the id of a noted child later', async () => {
  await writeFile(notes, JSON.stringify([{ pid, startedAt: 'another time' }]));
  await killLeftovers(notes, silentLogger);
  expect(await identify(pid)).toBeDefined();
  expect(hasEnded()).toBe(false);
});

test('does nothing where nothing was noted', async () => {
  await expect(killLeftovers(notes, silentLogger)).resolves.toBeUndefined();
});

test('notes can be read at any moment, also while they change', async () => {
  const note = createChildNotes(notes, silentLogger);
  await writeFile(notes, '[]');
  const seen = new Set<string>();
  for (let turn = 0; turn < 300; turn++) {
    note(turn % 2 === 0 ? [pid] : []);
    seen.add(await readFile(notes, 'utf8'));
  }
  const whole = ['[]', JSON.stringify([await identify(pid)])];
  expect([...seen].filter((text) => !whole.includes(text))).toEqual([]);
});

test('damaged notes are dropped: the stack starts all the same', async () => {
  await writeFile(notes, `[]"pid":${pid},"startedAt":"584771"}]`);
  await killLeftovers(notes, silentLogger);
  await expect(access(notes)).rejects.toThrow('ENOENT');
});
