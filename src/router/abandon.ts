import type { Heartbeats } from '../queue/heartbeats.ts';
import type { Logger } from '../runtime/logger.ts';

/** Reports every lease as lost once the request is over: the next request holds it under the same token. */
export function letGoAfter(abandoned: AbortSignal, heartbeats: Heartbeats): Heartbeats {
  return {
    hold(lease, claimedAt, onTrouble) {
      const held = heartbeats.hold(lease, claimedAt, onTrouble);
      const letGo = (): void => {
        held.release();
        onTrouble('lost');
      };
      abandoned.addEventListener('abort', letGo, { once: true });
      return {
        ...held,
        mayHold: () => !abandoned.aborted && held.mayHold(),
        release() {
          abandoned.removeEventListener('abort', letGo);
          held.release();
        },
      };
    },
  };
}

/** An attempt that goes on in the next request is not lost, so its log must not say so. */
export function quietAfter(abandoned: AbortSignal, log: Logger): Logger {
  const unlessOver =
    (write: (fields: object, message: string) => void) =>
    (fields: object, message: string): void => {
      if (!abandoned.aborted) write(fields, message);
    };
  return {
    debug: unlessOver((fields, message) => log.debug(fields, message)),
    info: unlessOver((fields, message) => log.info(fields, message)),
    warn: unlessOver((fields, message) => log.warn(fields, message)),
    error: unlessOver((fields, message) => log.error(fields, message)),
    child: (bindings) => quietAfter(abandoned, log.child(bindings)),
  };
}
