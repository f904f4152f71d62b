import { createNodeLogger } from '../../../src/runtime/node-logger.ts';
import type { Logger } from '../../../src/runtime/logger.ts';

/** Milliseconds after which an answer is a hang, on the slowest machine. */
const patienceMs = 20_000;

export interface Watch {
  /** To be given to what is watched. */
  log: Logger;
  /**
   * Waits for an answer and reads it.
   * @param mayFail - a 5xx is in order
   * @throws {Error} what must not happen has happened: a 5xx, a hang, a secret or a forged line in the log, a changed prototype
   */
  check(answer: Promise<Response>, mayFail: boolean): Promise<Response>;
}

/** @param secrets - must be in no answer and in no line of the log */
export function createWatch(secrets: readonly string[]): Watch {
  const lines: string[] = [];
  const known = Reflect.ownKeys(Object.prototype).length;
  return {
    log: createNodeLogger({
      level: 'debug',
      destination: { write: (line: string) => void lines.push(line) },
    }),
    async check(pending, mayFail) {
      lines.length = 0;
      const response = await inTime(pending);
      const text = await response.clone().text();
      if (response.status >= 500 && !mayFail)
        fail(`answered ${response.status} ${text.slice(0, 500)}, log:\n${lines.join('')}`);
      if (text !== '' && response.headers.get('content-type')?.includes('json')) JSON.parse(text);
      const shown = secrets.find((secret) => `${text}\n${lines.join('')}`.includes(secret));
      if (shown !== undefined) fail(`showed ${shown}`);
      lines.forEach(requireOneLine);
      if (Reflect.ownKeys(Object.prototype).length !== known) fail('changed Object.prototype');
      return response;
    },
  };
}

async function inTime(pending: Promise<Response>): Promise<Response> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs} ms`)), patienceMs);
  try {
    return await Promise.race([pending, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whatever was logged, a reader of the log finds one object with the fields that the logger writes. */
function requireOneLine(line: string): void {
  if (line.indexOf('\n') !== line.length - 1)
    fail(`wrote a log line in several lines: ${JSON.stringify(line)}`);
  const { level, time } = JSON.parse(line) as Record<string, unknown>;
  if (typeof level !== 'string' || typeof time !== 'string')
    fail(`wrote a log line without level and time: ${line}`);
}

function fail(what: string): never {
  throw new Error(`the endpoint ${what}`);
}
