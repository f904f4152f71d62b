import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import type { Weather } from '../system/proxy.ts';
import type { System } from '../system/system.ts';

const outageMs = 8_000;

/** The database cannot be reached for a while, by nobody. */
async function outage({ proxy }: System, weather: Weather): Promise<void> {
  proxy.become(weather);
  if (weather === 'refuses') proxy.cut();
  await sleep(outageMs);
  proxy.become('fair');
  proxy.cut();
}

export const network: readonly Fault[] = [
  {
    name: 'cut',
    what: 'all connections to the database are cut',
    strikes: { full: 5, quick: 0 },
    strike({ proxy }) {
      proxy.cut();
      return Promise.resolve();
    },
  },
  {
    name: 'refused',
    what: `the database refuses connections for ${outageMs / 1000} s`,
    strikes: { full: 3, quick: 0 },
    strike: (system) => outage(system, 'refuses'),
    recoversFrom: 'mended',
  },
  {
    name: 'silent',
    what: `nothing passes between processes and database for ${outageMs / 1000} s, then their connections are cut`,
    strikes: { full: 3, quick: 0 },
    strike: (system) => outage(system, 'silent'),
    recoversFrom: 'mended',
  },
  {
    name: 'half-open',
    what: 'all connections fall silent for good, both ends think that they are open; new ones work',
    strikes: { full: 3, quick: 0 },
    strike({ proxy }) {
      proxy.freeze();
      return Promise.resolve();
    },
  },
];
