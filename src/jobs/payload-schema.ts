import { z } from 'zod';
import type { JobDefinition } from './define-job.ts';

/**
 * What a job's payload may look like as it is sent, as JSON Schema (draft 2020-12): for people and for forms. What JSON
 * Schema cannot say (a transformation, a check in code) is left out, so it refuses less than the job does.
 */
export function payloadSchema({ payload }: JobDefinition): Record<string, unknown> {
  return z.toJSONSchema(payload, { io: 'input', unrepresentable: 'any' });
}
