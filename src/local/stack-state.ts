import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { identify, isRunning, processIdentity } from './process-identity.ts';

const partSchema = z.object({ name: z.string(), where: z.string(), note: z.string() });

/** A part of the stack, for people: what it is, where it is, and what is worth knowing. */
export type StackPart = z.infer<typeof partSchema>;

const stateSchema = z.object({
  process: processIdentity,
  parts: z.array(partSchema),
  /** The environment that the stack's functions run with: a command that uses it acts on the stack. */
  env: z.record(z.string(), z.string()),
  /** Inngest's endpoint; null while the stack starts. */
  inngestUrl: z.string().nullable(),
  /** Null when only the HTTP side of the database is known. */
  databaseUrl: z.string().nullable(),
});

/** What one `npm start` tells other commands in `<data folder>/stack.json`. It holds keys. */
export type StackState = z.infer<typeof stateSchema>;

const stateFile = (dataDir: string) => join(dataDir, 'stack.json');

/** The stack that runs on this data folder, if there is one. */
export async function runningStack(dataDir: string): Promise<StackState | undefined> {
  const text = await readFile(stateFile(dataDir), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const state = stateSchema.safeParse(parseJson(text)).data;
  return state && (await isRunning(state.process)) ? state : undefined;
}

export async function writeStackState(dataDir: string, state: Omit<StackState, 'process'>): Promise<void> {
  const self = await identify(process.pid);
  const text = JSON.stringify({ process: self, ...state }, null, 2);
  await writeFile(stateFile(dataDir), text, { mode: 0o600 });
}

export async function removeStackState(dataDir: string): Promise<void> {
  await rm(stateFile(dataDir), { force: true });
}

/** Undefined for a file that was cut off when its writer was killed. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
