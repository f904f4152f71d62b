import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where files live in memory, when the machine has such a place. */
export function memoryFolder(): string {
  try {
    accessSync('/dev/shm', constants.W_OK);
    return '/dev/shm';
  } catch {
    return tmpdir();
  }
}
