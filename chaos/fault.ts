import type { Random } from './random.ts';
import type { System } from './system/system.ts';

/** A way in which the world fails. The runner knows no more of it than this. */
export interface Fault {
  name: string;
  /** For the page. */
  what: string;
  /** How often it strikes: in a full run, and in a quick one (0: not at all). */
  strikes: { full: number; quick: number };
  /**
   * Strikes once, while jobs flow, and mends what does not mend itself. What is left then has to recover by itself.
   * @param n - counts the strikes of this run, from 0
   * @param seed - of the run
   */
  strike(system: System, random: Random, n: number, seed: number): Promise<void>;
  /**
   * From when on recovery counts. Default: `strike`. `mended`: the fault lasts, and nothing can go on before its end. `hit`: the
   * strike ends with the blow, after a wait for its moment, and recovery is that of the jobs that run then.
   */
  recoversFrom?: 'strike' | 'mended' | 'hit';
  /** Strikes when jobs of this lane run, and recovery is theirs. Default: any lane. */
  lane?: 'inline' | 'edge' | 'worker';
  /** What it needs of the system. Default: nothing special. */
  needs?: 'shipped settings' | 'small disk';
}
