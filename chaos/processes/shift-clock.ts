/** Loaded before a Node process whose clock is to be wrong, with `--import`. */
import { shiftClock } from './shifted-clock.ts';

shiftClock(Number(process.env['CHAOS_SKEW_MS'] ?? 0));
