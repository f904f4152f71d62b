import { fullDisk } from './faults/full-disk.ts';
import { killedAtPoints } from './faults/killed-at-points.ts';
import { killedProcesses } from './faults/killed-processes.ts';
import { longTransaction } from './faults/long-transaction.ts';
import { network } from './faults/network.ts';
import { paused } from './faults/paused.ts';
import { shippedSettings } from './faults/shipped-settings.ts';
import { skewedClocks } from './faults/skewed-clocks.ts';
import { wipedWakes } from './faults/wiped-wakes.ts';
import type { Fault } from './fault.ts';

/** In the order in which they strike, and stand on the page. */
export const faults: readonly Fault[] = [
  ...killedProcesses,
  killedAtPoints,
  paused,
  ...network,
  wipedWakes,
  skewedClocks,
  longTransaction,
  fullDisk,
  shippedSettings,
];
