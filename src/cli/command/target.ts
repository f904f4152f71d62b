import { externalDatabaseUrl } from '../../local/external-database.ts';
import { runningStack } from '../../local/stack-state.ts';
import type { EnvRecord } from '../../runtime/config-reader.ts';

/** What a command acts on. */
export interface Target {
  /** For people: a stack of this machine, or the environment. */
  name: string;
  env: EnvRecord;
  databaseUrl: string | null;
}

/** The stack that runs on this data folder, else whatever the environment names. */
export async function findTarget(dataDir: string, env: EnvRecord): Promise<Target> {
  const stack = await runningStack(dataDir);
  if (stack)
    return {
      name: `the stack of process ${stack.process.pid}`,
      env: { ...env, ...stack.env },
      databaseUrl: stack.databaseUrl,
    };
  return { name: 'the environment', env, databaseUrl: externalDatabaseUrl(env) };
}
