import { Inngest } from 'inngest';
import type { InngestConfig } from '../runtime/config.ts';
import type { Logger } from '../runtime/logger.ts';

/** The id under which Inngest knows this deployment; function ids begin with it. */
const appId = 'hybrid-jobs';

/** The one Inngest client of a process. */
export function createInngestClient(options: { config: InngestConfig; log: Logger }): Inngest {
  const { isDev, eventKey, signingKey, baseUrl } = options.config;
  return new Inngest({
    id: appId,
    isDev,
    ...(eventKey === undefined ? {} : { eventKey }),
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    logger: toInngestLogger(options.log),
  });
}

type LogMethod = (...args: unknown[]) => void;

/** Inngest calls its logger with a message, with fields and a message, or with anything. */
function toInngestLogger(log: Logger): Record<'debug' | 'info' | 'warn' | 'error', LogMethod> {
  const method =
    (write: (fields: object, message: string) => void): LogMethod =>
    (first, ...rest) => {
      if (typeof first === 'string') return write(rest.length > 0 ? { details: rest } : {}, first);
      const message = typeof rest[0] === 'string' ? rest[0] : 'inngest';
      write(typeof first === 'object' && first !== null ? first : { details: first }, message);
    };
  return {
    debug: method((fields, message) => log.debug(fields, message)),
    info: method((fields, message) => log.info(fields, message)),
    warn: method((fields, message) => log.warn(fields, message)),
    error: method((fields, message) => log.error(fields, message)),
  };
}
