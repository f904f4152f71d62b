import { Inngest } from 'inngest';
import type { InngestConfig } from '../runtime/inngest-config.ts';
import type { Logger } from '../runtime/logger.ts';

export interface InngestClientOptions {
  config: InngestConfig;
  /** Under which Inngest knows the endpoint; its functions' ids begin with it. */
  appId: string;
  log: Logger;
}

/** The one way to an Inngest client. It opens and sends nothing by itself. */
export function createInngestClient({ config, appId, log }: InngestClientOptions): Inngest {
  const { isDev, eventKey, signingKey, baseUrl, branch } = config;
  return new Inngest({
    id: appId,
    isDev,
    ...(eventKey === undefined ? {} : { eventKey }),
    ...(signingKey === undefined ? {} : { signingKey }),
    ...(baseUrl === undefined ? {} : { baseUrl }),
    ...(branch === undefined ? {} : { env: branch }),
    logger: toInngestLogger(log),
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
