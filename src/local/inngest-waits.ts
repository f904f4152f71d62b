import { setTimeout as sleep } from 'node:timers/promises';
import type { InngestEvent, StepOp } from './inngest-protocol.ts';

/** Lets a time-out pass, in milliseconds; the signal says that nobody waits for it any more. */
export type TimeOut = (ms: number, signal: AbortSignal) => Promise<unknown>;

/** The runs that wait for an event. */
export interface EventWaits {
  /** @returns the event, or null when the time-out of the step passed first */
  wait(op: StepOp): Promise<InngestEvent | null>;
  /** Hands an event to every run that waits for it now. */
  deliver(event: InngestEvent): void;
}

interface Wait {
  isFor(event: InngestEvent): boolean;
  resolve(event: InngestEvent): void;
}

export function createEventWaits(timeOut: TimeOut = realTimeOut): EventWaits {
  const waits = new Set<Wait>();
  return {
    async wait({ name, opts }) {
      const isAsked = readExpression(opts?.if);
      const { promise, resolve } = Promise.withResolvers<InngestEvent>();
      const wait: Wait = { isFor: (event) => event.name === name && isAsked(event), resolve };
      const over = new AbortController();
      waits.add(wait);
      try {
        return await Promise.race([
          promise,
          timeOut(readDuration(opts?.timeout), over.signal).then(() => null),
        ]);
      } finally {
        waits.delete(wait);
        over.abort();
      }
    },
    deliver(event) {
      for (const wait of waits) if (wait.isFor(event)) wait.resolve(event);
    },
  };
}

async function realTimeOut(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
}

/** Of Inngest's expressions the one that compares a text of the event that is waited for. */
function readExpression(expression: string | undefined): (event: InngestEvent) => boolean {
  if (expression === undefined) return () => true;
  const [, field, text] = /^async\.data\.(\w+) == "([^"\\]*)"$/.exec(expression) ?? [];
  if (field === undefined)
    throw new Error(`Inngest expression ${expression}: not available in the local executor`);
  return ({ data }) => new Map(Object.entries(data ?? {})).get(field) === text;
}

const millisecondsOf = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;

/** Durations as the SDK writes them: `90s` is `1m30s`. */
function readDuration(text = ''): number {
  if (!/^(\d+[wdhms])+$/.test(text))
    throw new Error(`time-out: expected a duration such as 1m30s, got ${JSON.stringify(text)}`);
  return [...text.matchAll(/(\d+)([wdhms])/g)].reduce(
    (sum, [, count, unit]) => sum + Number(count) * millisecondsOf[unit as keyof typeof millisecondsOf],
    0,
  );
}
