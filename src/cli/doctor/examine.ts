import { checkClock } from './clock.ts';
import { checkEndpoint } from './endpoint.ts';
import { checkKeys, checkVariables } from './environment.ts';
import { type Finding, runChecks } from '../command/findings.ts';
import type { Check, Patient } from './patient.ts';
import { checkQueue } from './queue.ts';
import { checkRoundTrip } from './round-trip.ts';
import { checkExtensions, checkJobTypes, checkSchema } from './schema.ts';
import { checkWakePath, checkWorker } from './wake-path.ts';

const readingChecks: Readonly<Record<string, Check>> = {
  variables: checkVariables,
  keys: checkKeys,
  schema: checkSchema,
  extensions: checkExtensions,
  'job types': checkJobTypes,
  'clock skew': checkClock,
  'wake path': checkWakePath,
  worker: checkWorker,
  queue: checkQueue,
  endpoint: checkEndpoint,
};

/** Runs all checks, one after the other; one that throws has failed, and the others go on. */
export async function examine(patient: Patient, { readOnly }: { readOnly: boolean }): Promise<Finding[]> {
  const checks = { ...readingChecks, ...(readOnly ? {} : { 'round trip': checkRoundTrip }) };
  return await runChecks(
    Object.fromEntries(Object.entries(checks).map(([name, check]) => [name, () => check(patient)])),
  );
}
