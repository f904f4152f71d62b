import type { Shutdown } from '../src/local/shutdown.ts';
import type { Fault } from './fault.ts';
import { mountSmallDisk } from './system/small-disk.ts';
import { startSystem, type System } from './system/system.ts';
import { tryFault, type TrialResult } from './trial.ts';

/** Settings of the product: a crash is found after a lease, and a run of the matrix is to take minutes. */
const shortLeases = { WORKER_LEASE_SECONDS: '3', EDGE_LEASE_SECONDS: '3' };

export interface MatrixOptions {
  faults: readonly Fault[];
  quick: boolean;
  /** Strikes of each fault, at most. */
  most: number;
  seed: number;
  progress: (what: string, done: number) => void;
  /** Takes what the processes say. */
  log: (line: string) => void;
  /** Told how to end what was started, also when the matrix ends half-way. */
  shutdown: Shutdown;
}

interface Place {
  system: System;
  /** Ends it once; later calls find nothing to end. */
  close(): Promise<void>;
}

/** Tries every fault, those with the same needs on one system. */
export async function runMatrix(options: MatrixOptions): Promise<TrialResult[]> {
  const { faults, quick, most, seed, progress, log, shutdown } = options;
  const results: TrialResult[] = [];
  const strikesOf = ({ strikes }: Fault): number => Math.min(most, quick ? strikes.quick : strikes.full);
  const chosen = faults.filter((fault) => strikesOf(fault) > 0);
  for (const [needs, group] of Map.groupBy(chosen, (fault) => fault.needs)) {
    const place = await open(needs, log);
    if (!place) {
      for (const { name } of group) progress(`${name}: left out, this user may not mount a small disk`, 1);
      continue;
    }
    shutdown.add(() => place.close());
    for (const fault of group) {
      const tell = (what: string, done: number): void => progress(`${fault.name}: ${what}`, done);
      results.push(await tryFault(place.system, fault, { strikes: strikesOf(fault), seed, progress: tell }));
    }
    await place.close();
  }
  return results;
}

async function open(needs: Fault['needs'], log: (line: string) => void): Promise<Place | null> {
  if (needs !== 'small disk') {
    const system = await startSystem({ settings: needs === undefined ? shortLeases : {}, log });
    return { system, close: () => system.close() };
  }
  const disk = await mountSmallDisk();
  if (!disk) return null;
  const system = await startSystem({ settings: shortLeases, log, disk });
  return { system, close: () => system.close() };
}
