import {
  execFile,
  spawn,
  type ChildProcessByStdio,
  type SpawnOptionsWithStdioTuple,
  type StdioNull,
  type StdioPipe,
} from 'node:child_process';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The operating system's user that owns the data folder and runs the server, when it is not the current one. */
interface Account {
  uid: number;
  gid: number;
}

export type ServerProcess = ChildProcessByStdio<null, null, Readable>;

/**
 * Postgres refuses to run as root, so root gets the system user `postgres`, made on first use.
 *
 * @returns undefined when the current user may run Postgres
 * @throws {Error} when running as root and the user neither exists nor can be made
 */
export async function postgresAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  try {
    return await lookUp('postgres');
  } catch {
    await createUser('postgres');
    return await lookUp('postgres');
  }
}

/**
 * Starts a program of Postgres as its account, in a process group of its own: Ctrl-C then reaches us alone, and
 * Postgres is stopped after those who still need it.
 *
 * A folder that only root may enter (a clone below /root) hides binaries and data from the account. Rather than open
 * that folder to everybody, the program keeps root's right to pass closed folders (CAP_DAC_OVERRIDE, through setpriv).
 *
 * @param folders - that the program has to reach
 */
export async function launch(
  account: Account | undefined,
  folders: string[],
  program: string,
  args: string[],
): Promise<ServerProcess> {
  const options: SpawnOptionsWithStdioTuple<StdioNull, StdioNull, StdioPipe> = {
    cwd: '/',
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  };
  if (!account) return spawn(program, args, options);
  const closed = (await Promise.all(folders.map(isClosed))).includes(true);
  if (!closed) return spawn(program, args, { ...options, ...account });
  return spawn('setpriv', [...keepPassage(account), program, ...args], options);
}

function keepPassage({ uid, gid }: Account): string[] {
  const capability = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
  // access(2), with which Postgres inspects its binaries, ignores capabilities without this bit.
  return [
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    ...capability,
    '--securebits=+no_setuid_fixup',
  ];
}

/** Whether some folder above this one may not be entered by everybody. */
async function isClosed(folder: string): Promise<boolean> {
  const parent = dirname(folder);
  if (parent === folder) return false;
  const { mode } = await stat(parent);
  return (mode & 0o001) === 0 || (await isClosed(parent));
}

async function lookUp(user: string): Promise<Account> {
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function createUser(user: string): Promise<void> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', user]);
  } catch (cause) {
    throw new Error(`Postgres cannot run as root, and the system user "${user}" could not be made`, {
      cause,
    });
  }
}
