import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The host killed the process that had the request. */
export class KilledError extends Error {
  override readonly name = 'KilledError';
}

/** A host of functions as Netlify's: a process has one request at a time, and is killed when that takes too long. */
export interface FunctionHost {
  /**
   * Sends a request as soon as a process is free.
   * @throws {KilledError} it took longer than the limit
   */
  call(pathAndQuery: string, init: RequestInit): Promise<Response>;
  /** Requests that were killed so far. */
  killed(): number;
  close(): Promise<void>;
}

interface Instance {
  child: ChildProcess;
  url: string;
  killed: boolean;
}

/** @param options.file - beside this one; sends its URL when it listens */
export async function startFunctionHost(options: {
  file: string;
  processes: number;
  limitMs: number;
  env?: Record<string, string>;
}): Promise<FunctionHost> {
  const { file, processes, limitMs, env = {} } = options;
  const idle: Instance[] = [];
  const waiting: ((instance: Instance) => void)[] = [];
  const alive = new Set<Instance>();
  let killed = 0;
  let closed = false;

  async function boot(): Promise<void> {
    const entry = fileURLToPath(new URL(file, import.meta.url));
    const child = fork(entry, { env: { PATH: process.env['PATH'], ...env }, stdio: 'inherit' });
    const [url] = (await once(child, 'message')) as [string];
    const instance = { child, url, killed: false };
    alive.add(instance);
    giveBack(instance);
  }

  function giveBack(instance: Instance): void {
    const next = waiting.shift();
    if (next) next(instance);
    else idle.push(instance);
  }

  const take = (): Promise<Instance> =>
    new Promise((resolve) => {
      const free = idle.pop();
      if (free) resolve(free);
      else waiting.push(resolve);
    });

  function kill(instance: Instance): void {
    instance.killed = true;
    instance.child.kill('SIGKILL');
  }

  async function call(pathAndQuery: string, init: RequestInit): Promise<Response> {
    const instance = await take();
    const timer = setTimeout(kill, limitMs, instance);
    try {
      const answer = await fetch(instance.url + pathAndQuery, init);
      return new Response(await answer.arrayBuffer(), { status: answer.status, headers: answer.headers });
    } catch (cause) {
      if (!instance.killed) throw cause;
      killed += 1;
      throw new KilledError(`killed after ${limitMs} ms`, { cause });
    } finally {
      clearTimeout(timer);
      if (!instance.killed) giveBack(instance);
      else {
        alive.delete(instance);
        if (!closed) await boot();
      }
    }
  }

  await Promise.all(Array.from({ length: processes }, boot));
  return {
    call,
    killed: () => killed,
    async close() {
      closed = true;
      const ends = [...alive].map(({ child }) => once(child, 'exit'));
      for (const { child } of alive) child.kill();
      await Promise.all(ends);
    },
  };
}
