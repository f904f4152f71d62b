/** Of a job as it is measured: real life passes 25 times faster. Starts of processes and calls of the database do not. */
export const millisecondsPerSecond = 40;

/** The limits of the hosts in seconds of real life: https://docs.netlify.com/build/functions/overview and Supabase's free plan. */
export const netlifyLimitSeconds = 60;
export const edgeWallSeconds = 150;

/** Seconds of work that a long job does between two saved steps, at most. */
const stepSeconds = 5;

export type WorkKind = 'quick' | 'long';

/** One job: `steps` pieces of work of `stepMs` milliseconds each. */
export interface Work {
  kind: WorkKind;
  steps: number;
  stepMs: number;
}

/** Shares of all jobs, and ranges in seconds of real life. 60 % of the long ones take longer than the limit. */
const mix = [
  { kind: 'quick', share: 0.5, from: 0.5, to: 8 },
  { kind: 'long', share: 0.2, from: 10, to: 50 },
  { kind: 'long', share: 0.3, from: 70, to: 400 },
] as const;

/** The same jobs for the same seed, in the same order. */
export function workload(jobs: number, seed: number): Work[] {
  const random = seeded(seed);
  const works = mix.flatMap(({ kind, share, from, to }) =>
    Array.from({ length: Math.round(jobs * share) }, () =>
      // Evenly spread over orders of magnitude: short ones are more frequent.
      toWork(kind, from * (to / from) ** random()),
    ),
  );
  return works
    .map((work) => ({ work, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ work }) => work);
}

function toWork(kind: WorkKind, seconds: number): Work {
  const steps = Math.ceil(seconds / stepSeconds);
  return { kind, steps, stepMs: Math.round((seconds * millisecondsPerSecond) / steps) };
}

/** The generator `mulberry32`: numbers from 0 to 1 that look random and are the same for each seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
