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
   */
  strike(system: System, random: Random, n: number): Promise<void>;
  /** From when on recovery counts. Default: `strike`. `mended`: the fault lasts, and ends with the strike. */
  recoversFrom?: 'strike' | 'mended';
}
