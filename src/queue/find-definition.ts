import type { JobDefinition } from '../jobs/define-job.ts';

/** The job kind that answers to this event name, be it its type or an alias. */
export function findDefinition(catalog: readonly JobDefinition[], name: string): JobDefinition | undefined {
  return (
    catalog.find((definition) => definition.type === name) ??
    catalog.find((definition) => definition.aliases.includes(name))
  );
}
