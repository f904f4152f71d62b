import { type ChildProcess, fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { signal } from './signal.ts';

/** As a host does it that starts a dead process again: milliseconds. */
const restartMs = 250;

/** A process of the system under test, started again whenever it has died. */
export interface Child {
  readonly name: string;
  /** Undefined while it is being started again. */
  pid(): number | undefined;
  /** What it told last: the process ids of its own children. */
  children(): readonly number[];
  kill(name: NodeJS.Signals): void;
  /** Ends it and starts it again with other variables. */
  restart(env: Record<string, string>): Promise<void>;
  /** Ends it for good. */
  close(): Promise<void>;
}

/**
 * @param options.file - below `processes/`; it sends a message when it is ready, and later the ids of its children
 * @param options.preload - a module that is loaded before it
 */
export async function startChild(options: {
  name: string;
  file: string;
  env: Record<string, string>;
  log: (line: string) => void;
}): Promise<Child> {
  const { name, log } = options;
  const entry = fileURLToPath(new URL(`../processes/${options.file}`, import.meta.url));
  let env = options.env;
  let child: ChildProcess | undefined;
  let children: readonly number[] = [];
  let closed = false;

  async function start(): Promise<void> {
    const process_ = fork(entry, {
      env: { PATH: process.env['PATH'] ?? '', ...env },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    child = process_;
    const ready = Promise.withResolvers<void>();
    for (const stream of [process_.stdout, process_.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => log(`${name}: ${text.trimEnd()}`));
    process_.on('message', (message) => {
      ready.resolve();
      if (Array.isArray(message)) children = message as number[];
    });
    process_.once('exit', () => {
      ready.resolve();
      for (const pid of children) signal(pid, 'SIGKILL');
      if (child === process_) child = undefined;
      if (!closed) void sleep(restartMs).then(start);
    });
    await ready.promise;
  }

  await start();
  return {
    name,
    pid: () => child?.pid,
    children: () => children,
    kill: (signalName) => void child?.kill(signalName),
    async restart(changed) {
      env = { ...options.env, ...changed };
      const before = child;
      before?.kill('SIGKILL');
      while (child === before || child === undefined) await sleep(20);
    },
    async close() {
      closed = true;
      const ended = child && new Promise((resolve) => child?.once('exit', resolve));
      // It may be stopped, and a stopped process hears nothing else.
      child?.kill('SIGKILL');
      await ended;
    },
  };
}
