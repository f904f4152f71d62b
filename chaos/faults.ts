import { killedWorker } from './faults/killed-worker.ts';
import type { Fault } from './fault.ts';

/** In the order in which they strike, and stand on the page. */
export const faults: readonly Fault[] = [killedWorker];
