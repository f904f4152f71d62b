import { Button, NativeSelect, TextInput } from '@mantine/core';
import { lanes, statuses, type JobFilter } from '../../data/rows.ts';
import { useJobTypes } from '../../data/use-job-types.ts';
import { fieldFromIso, isoFromField } from '../../format/times.ts';
import { href } from '../../location/route.ts';
import classes from './filter-bar.module.css';
import type { FilterName } from './filter.ts';
import { TypedFilter } from './typed-filter.tsx';

/** One field for each way to narrow the list. */
export function FilterBar({
  filter,
  onChange,
}: {
  filter: JobFilter;
  onChange: (name: FilterName, value: string | undefined) => void;
}) {
  const select = (name: 'status' | 'type' | 'lane', label: string, known: readonly string[]) => (
    <NativeSelect
      size="xs"
      label={label}
      data={[{ value: '', label: 'any' }, ...known]}
      value={filter[name] ?? ''}
      onChange={(event) => onChange(name, event.currentTarget.value)}
    />
  );
  const time = (name: 'from' | 'to', label: string) => (
    <TextInput
      size="xs"
      type="datetime-local"
      label={label}
      value={fieldFromIso(filter[name])}
      onChange={(event) => onChange(name, isoFromField(event.currentTarget.value))}
    />
  );
  return (
    <form
      className={classes.bar}
      role="search"
      aria-label="Jobs"
      onSubmit={(event) => event.preventDefault()}
    >
      {select('status', 'Status', statuses)}
      {select('type', 'Type', useTypes(filter.type))}
      {select('lane', 'Lane', lanes)}
      <TypedFilter
        label="Repository"
        placeholder="owner/name"
        value={filter.repository}
        onChange={(value) => onChange('repository', value)}
      />
      {time('from', 'Created from')}
      {time('to', 'Created before')}
      <TypedFilter
        label="Text"
        placeholder="id, key, or part of type, error, payload"
        value={filter.text}
        onChange={(value) => onChange('text', value)}
      />
      {Object.keys(filter).length > 0 && (
        <Button component="a" href={href(['jobs'])} size="xs" variant="default" className={classes.clear}>
          Clear
        </Button>
      )}
    </form>
  );
}

/** The known types and the chosen one, which may have been removed since. */
function useTypes(chosen: string | undefined): string[] {
  const known = useJobTypes().map(({ type }) => type);
  return chosen && !known.includes(chosen) ? [chosen, ...known] : known;
}
