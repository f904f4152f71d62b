import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';
import { callsOf, type Point, type Role } from '../points/point.ts';

/** Every process passes its points in less time, unless nobody needs the call at the moment. */
const patienceMs = 15_000;

const places = (Object.keys(callsOf) as Role[]).flatMap((role) =>
  callsOf[role].flatMap((call) => (['before', 'after'] as const).map((when) => ({ role, call, when }))),
);

/** With this step all places are met before one is met again, neighbours in the list one after the other by far. */
const stride = 17;

export const killedAtPoints: Fault = {
  name: 'killed-at-points',
  what: 'kill -9 right before and right after each call by which a process claims, has an effect, saves a step, ends a job, renews its leases, enqueues, sweeps or wakes',
  strikes: { full: places.length, quick: 2 },
  recoversFrom: 'hit',
  async strike({ controller }, random, n, seed) {
    const { role, call, when } = places[(seed * 7 + n * stride) % places.length]!;
    const point: Point = { call, when, nth: random.integer(1, 3) };
    await Promise.race([controller.arm(role, point), sleep(patienceMs)]);
    controller.disarm();
  },
};
