import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino';
import type { LogLevel } from './config.ts';
import type { Logger } from './logger.ts';
import { redactFields, redactTokens } from './redact.ts';

export interface NodeLoggerOptions {
  /** Lines below this level are dropped. Default: info. */
  level?: LogLevel;
  /** Where the JSON lines go. Default: standard output. */
  destination?: DestinationStream;
}

/** JSON lines by pino, without keys and tokens. */
export function createNodeLogger(options: NodeLoggerOptions = {}): Logger {
  const destination = options.destination ?? pino.destination({ fd: 1, sync: true });
  const root = pino(
    {
      level: options.level ?? 'info',
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }), log: asRecord },
    },
    { write: (line: string) => destination.write(redactTokens(line)) },
  );
  return withRedactedChildren(root);
}

const asRecord = (fields: object) => redactFields(fields) as Record<string, unknown>;

/** pino formats the bindings of its root logger only. */
function withRedactedChildren(logger: PinoLogger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (bindings) => withRedactedChildren(logger.child(asRecord(bindings))),
  };
}
