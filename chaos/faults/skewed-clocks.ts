import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Fault } from '../fault.ts';

const skewMs = 300_000;
/** How long they work so. */
const whileMs = 10_000;

const preload = fileURLToPath(new URL('../processes/shift-clock.ts', import.meta.url));

/** Variables of a process whose clock is wrong. */
const skewed = (ms: number): Record<string, string> => ({
  CHAOS_SKEW_MS: String(ms),
  NODE_OPTIONS: `--import=${preload}`,
});

export const skewedClocks: Fault = {
  name: 'skewed-clocks',
  what: `one worker is 5 min ahead, the other 5 min behind, Deno 5 min ahead, for ${whileMs / 1000} s; each is killed before and after`,
  strikes: { full: 1, quick: 0 },
  async strike({ workers: [ahead, behind], gateway }) {
    await Promise.all([
      ahead?.restart(skewed(skewMs)),
      behind?.restart(skewed(-skewMs)),
      gateway.restart({ CHAOS_SKEW_MS: String(skewMs) }),
    ]);
    await sleep(whileMs);
    await Promise.all([ahead?.restart({}), behind?.restart({}), gateway.restart({})]);
  },
};
