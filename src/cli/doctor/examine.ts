import { checkClock } from './clock.ts';
import { checkEndpoint } from './endpoint.ts';
import { checkKeys, checkVariables } from './environment.ts';
import type { Check, Finding, Patient } from './finding.ts';
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
  const findings: Finding[] = [];
  for (const [check, look] of Object.entries(checks)) {
    const answers = await look(patient).catch((error: unknown) => [
      { state: 'failed' as const, found: describe(error), todo: 'mend what the message names' },
    ]);
    findings.push(...answers.map((answer) => ({ check, ...answer })));
  }
  return findings;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? error.cause : null;
  const reason = cause && ('code' in cause ? String(cause.code) : cause.message);
  return reason ? `${error.message} (${reason})` : error.message;
}
