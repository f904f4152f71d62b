import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Logger } from '../runtime/logger.ts';

const shimPath = fileURLToPath(new URL('./edge-shim.js', import.meta.url));

export interface IsolateOptions {
  name: string;
  /** Absolute path of the function's `index.ts`. */
  entryFile: string;
  /** The child sees these variables and nothing of this process's environment. */
  env: Record<string, string>;
  denoPath: string;
  /** `deno.json` of the workspace, or null for a function that imports no packages. */
  configPath: string | null;
  /** Deno's cache of transpiled sources. */
  cacheDir: string;
  memoryMb: number;
  bootSeconds: number;
  log: Logger;
}

/** One Deno child that serves one function. */
export interface Isolate {
  readonly pid: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Resolves with the child's base URL; rejects when it ends or stays silent for `bootSeconds`. */
  readonly address: Promise<string>;
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
  /** Tells the function that its end is near. */
  announceEnd(reason: 'wall_clock' | 'termination'): void;
  /** The child ends by itself once its background work is done. Call it when no request is in flight. */
  retire(): void;
  /** SIGTERM: `beforeunload`, then an end as soon as the background work allows. */
  terminate(): void;
  /** SIGKILL. */
  kill(): void;
}

/** Spawns a Deno child under limits like the platform's: no prompt, no downloads, capped heap, no file access. */
export function spawnIsolate(options: IsolateOptions): Isolate {
  const child = spawn(options.denoPath, denoArguments(options), {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...options.env,
      DENO_SERVE_ADDRESS: 'tcp:127.0.0.1:0',
      DENO_DIR: options.cacheDir,
      DENO_NO_UPDATE_CHECK: '1',
      EDGE_HOST: 'stdin',
      NO_COLOR: '1',
    },
  });
  // A child that died takes its stdin with it; the exit event tells the story.
  child.stdin.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  const log = options.log.child({ function: options.name, pid: child.pid });
  return {
    pid: child.pid ?? -1,
    startedAt: Date.now(),
    address: listeningAddress(child, options, log),
    exited,
    announceEnd: (reason) => void child.stdin.write(`beforeunload ${reason}\n`),
    retire: () => void child.stdin.write('retire\n'),
    terminate: () => void child.kill('SIGTERM'),
    kill: () => void child.kill('SIGKILL'),
  };
}

function denoArguments({ configPath, memoryMb, entryFile }: IsolateOptions): string[] {
  return [
    'run',
    '--no-prompt',
    '--cached-only',
    '--allow-env',
    '--allow-net',
    // This Deno asks for it where `node:https` looks up the certificates that everybody trusts; the platform's does not.
    '--allow-sys=ca',
    // As the platform limits a heap: V8 derives the size of its young generation from it, too.
    `--v8-flags=--max-heap-size=${memoryMb}`,
    ...(configPath === null ? ['--no-config'] : ['--config', configPath]),
    '--preload',
    shimPath,
    entryFile,
  ];
}

/** Deno prints where it listens once `Deno.serve` is up: that line is the sign of readiness. */
function listeningAddress(child: ChildProcess, options: IsolateOptions, log: Logger): Promise<string> {
  return new Promise((resolve, reject) => {
    let lastWords = '';
    const refuse = (what: string) =>
      reject(new Error(`function ${options.name} ${what}${lastWords && `: ${lastWords}`}`));
    const timer = setTimeout(
      () => refuse(`did not listen within ${options.bootSeconds} s`),
      options.bootSeconds * 1000,
    );
    const onLine = (stream: 'stdout' | 'stderr') => (line: string) => {
      const address = /^Listening on (http:\/\/127\.0\.0\.1:\d+)/.exec(line)?.[1];
      if (address !== undefined) return resolve(address);
      if (stream === 'stderr' && line.trim() !== '') lastWords = line;
      log.info({ stream }, line);
    };
    forEachLine(child.stdout, onLine('stdout'));
    forEachLine(child.stderr, onLine('stderr'));
    child.once('error', (error) => refuse(`could not be started (${error.message})`));
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      log.debug({ code, signal }, 'isolate ended');
      refuse('ended before it listened');
    });
  });
}

function forEachLine(stream: Readable | null, onLine: (line: string) => void): void {
  if (stream !== null) createInterface({ input: stream }).on('line', onLine);
}
