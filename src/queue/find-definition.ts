import type { JobDefinition } from '../jobs/define-job.ts';

/** The job kind that answers to this event name, be it its type or an alias. */
export function findDefinition(catalog: readonly JobDefinition[], name: string): JobDefinition | undefined {
  return (
    catalog.find((definition) => definition.type === name) ??
    catalog.find((definition) => definition.aliases.includes(name))
  );
}

/** {@link findDefinition} in a catalog that does not change, for whoever asks at each job. */
export function indexDefinitions(
  catalog: readonly JobDefinition[],
): (name: string) => JobDefinition | undefined {
  const known = new Map<string, JobDefinition>();
  for (const definition of catalog)
    for (const alias of definition.aliases) if (!known.has(alias)) known.set(alias, definition);
  for (const definition of catalog.toReversed()) known.set(definition.type, definition);
  return (name) => known.get(name);
}
