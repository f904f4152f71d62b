import type { Logger } from '../runtime/logger.ts';
import { forward, isConnectionRefused, refusal, refusalFor, type ReceivedRequest } from './edge-request.ts';
import { spawnIsolate, type Isolate, type IsolateOptions } from './edge-isolate.ts';

export interface EdgeRuntimeOptions {
  /** Function name → absolute path of its `index.ts`. */
  functions: Record<string, string>;
  /** The functions' environment. */
  env: Record<string, string>;
  denoPath: string;
  cacheDir: string;
  log: Logger;
  /** `deno.json` of the workspace. Default: null, for functions that import no packages. */
  configPath?: string | null;
  /** Life of an isolate, in seconds. Default: 150, the platform's free plan. */
  wallSeconds?: number;
  /** Heap of an isolate, in MB. Default: 256. */
  memoryMb?: number;
  /** A function must answer within this many seconds. Default: 150. */
  responseSeconds?: number;
  /** A function must listen within this many seconds of its first request. Default: 60. */
  bootSeconds?: number;
  /** `close` waits this many seconds for the functions' background work. Default: 3. */
  graceSeconds?: number;
  /** Told the living process ids after every start and end of a child. */
  onChildren?: (pids: number[]) => void;
}

export interface IsolateInfo {
  name: string;
  pid: number;
  /** `serving` takes requests; `retired` only finishes its background work. */
  state: 'serving' | 'retired';
  /** Epoch milliseconds. */
  startedAt: number;
}

export interface EdgeRuntime {
  /** Answers as the function would; starts it when none is serving. Never rejects: failures are 5xx answers. */
  handle(name: string, request: Request): Promise<Response>;
  isolates(): IsolateInfo[];
  /** Ends every child: SIGTERM, then SIGKILL after the grace period. */
  close(): Promise<void>;
}

interface Hosted extends IsolateInfo {
  isolate: Isolate;
  inFlight: number;
  timers: NodeJS.Timeout[];
}

/**
 * A small imitation of the host of Supabase Edge Functions: Deno children started on the first request, one serving
 * child per function, retired at half of their wall time, told by `beforeunload` at 90 % and killed at 100 %
 * (limits: supabase.com/docs/guides/functions/limits). The platform's CPU limit is not imitated.
 */
export function startEdgeRuntime(options: EdgeRuntimeOptions): EdgeRuntime {
  const {
    wallSeconds = 150,
    memoryMb = 256,
    responseSeconds = 150,
    bootSeconds = 60,
    graceSeconds = 3,
  } = options;
  const hosted = new Set<Hosted>();
  let closed = false;

  function boot(name: string, entryFile: string): Hosted {
    const isolateOptions: IsolateOptions = {
      configPath: null,
      ...options,
      name,
      entryFile,
      memoryMb,
      bootSeconds,
    };
    const isolate = spawnIsolate(isolateOptions);
    const host: Hosted = {
      name,
      pid: isolate.pid,
      state: 'serving',
      startedAt: isolate.startedAt,
      isolate,
      inFlight: 0,
      timers: [],
    };
    const at = (share: number, act: () => void) =>
      host.timers.push(setTimeout(act, wallSeconds * 1000 * share));
    at(0.5, () => retire(host));
    at(0.9, () => isolate.announceEnd('wall_clock'));
    at(1, () => isolate.kill());
    hosted.add(host);
    void isolate.exited.then(() => forget(host));
    isolate.address.catch(() => isolate.kill());
    options.onChildren?.(pids());
    return host;
  }

  function forget(host: Hosted): void {
    host.timers.forEach(clearTimeout);
    hosted.delete(host);
    options.onChildren?.(pids());
  }

  function retire(host: Hosted): void {
    host.state = 'retired';
    if (host.inFlight === 0) host.isolate.retire();
  }

  const pids = () => [...hosted].map((host) => host.pid);
  const serving = (name: string) =>
    [...hosted].find((host) => host.name === name && host.state === 'serving');

  async function handle(name: string, request: Request): Promise<Response> {
    const entryFile = options.functions[name];
    if (entryFile === undefined) return refusal(404, 'NOT_FOUND', 'Requested function was not found');
    if (closed) return refusal(503, 'SHUTTING_DOWN', 'The local edge runtime is stopping');
    const received: ReceivedRequest = { name, request, body: await request.arrayBuffer() };
    try {
      return await deliver(entryFile, received).catch((error: unknown) => {
        // A child that had just died never saw the request: a fresh one may answer it.
        if (isConnectionRefused(error)) return deliver(entryFile, received);
        throw error;
      });
    } catch (error) {
      options.log.warn({ function: name, err: error }, 'the function did not answer');
      return refusalFor(error);
    }
  }

  async function deliver(entryFile: string, received: ReceivedRequest): Promise<Response> {
    const host = serving(received.name) ?? boot(received.name, entryFile);
    host.inFlight += 1;
    try {
      return await forward(host.isolate.address, received, responseSeconds);
    } catch (error) {
      if (isConnectionRefused(error)) host.state = 'retired';
      throw error;
    } finally {
      host.inFlight -= 1;
      if (host.state === 'retired') retire(host);
    }
  }

  async function close(): Promise<void> {
    closed = true;
    const endings = [...hosted].map(async ({ isolate }) => {
      isolate.terminate();
      const timer = setTimeout(() => isolate.kill(), graceSeconds * 1000);
      await isolate.exited;
      clearTimeout(timer);
    });
    await Promise.all(endings);
  }

  return {
    handle,
    isolates: () => [...hosted].map(({ name, pid, state, startedAt }) => ({ name, pid, state, startedAt })),
    close,
  };
}
