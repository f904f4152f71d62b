import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Who owns the data folder and runs the server. Empty: the current user. */
export interface Account {
  uid?: number;
  gid?: number;
}

/**
 * Postgres refuses to run as root, so root gets the system user `postgres`, made on first use.
 *
 * @throws {Error} when running as root and the user neither exists nor can be made
 */
export async function postgresAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return {};
  try {
    return await lookUp('postgres');
  } catch {
    await createUser('postgres');
    return await lookUp('postgres');
  }
}

async function lookUp(user: string): Promise<Account> {
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

async function createUser(user: string): Promise<void> {
  try {
    await run('useradd', ['--system', '--user-group', '--no-create-home', user]);
  } catch (error) {
    throw new Error(`Postgres cannot run as root and the system user "${user}" could not be made`, {
      cause: error,
    });
  }
}
