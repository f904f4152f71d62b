/// <reference types="./pino-browser.d.ts" />
import { pino } from 'pino/browser.js';
import type { LogLevel } from './config.ts';
import type { Logger } from './logger.ts';
import { redactFields, redactTokens } from './redact.ts';

export interface EdgeLoggerOptions {
  /** Lines below this level are dropped. Default: info. */
  level?: LogLevel;
  /** Takes one JSON line. Default: the console. */
  write?: (line: string) => void;
}

/** JSON lines by pino's browser build, which needs no permission in Deno, without keys and tokens. */
export function createEdgeLogger(options: EdgeLoggerOptions = {}): Logger {
  // The console is where an edge runtime collects its logs from.
  // eslint-disable-next-line no-console
  const write = options.write ?? console.log;
  return pino({
    level: options.level ?? 'info',
    browser: {
      formatters: { level: (label) => ({ level: label }) },
      write: (entry) => write(redactTokens(JSON.stringify(redactFields(withIsoTime(entry))))),
    },
  });
}

function withIsoTime(entry: object): object {
  return { ...entry, time: new Date().toISOString() };
}
