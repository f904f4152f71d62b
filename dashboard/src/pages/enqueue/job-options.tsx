import { NativeSelect, TextInput } from '@mantine/core';
import { lanes, type JobTypeRow, type NewJob } from '../../data/rows.ts';
import { isoFromField } from '../../format/times.ts';
import classes from './enqueue-page.module.css';

/** As entered; empty texts leave it to the type. */
export const noOptions = { lane: '', priority: '', runAt: '', idempotencyKey: '' };

type Options = typeof noOptions;

export function readOptions({ lane, priority, runAt, idempotencyKey }: Options): Partial<NewJob> {
  const runAtIso = isoFromField(runAt);
  const known = lanes.find((name) => name === lane);
  return {
    ...(known && { lane: known }),
    ...(priority !== '' && { priority: Number(priority) }),
    ...(runAtIso && { run_at: runAtIso }),
    ...(idempotencyKey.trim() !== '' && { idempotency_key: idempotencyKey.trim() }),
  };
}

/** Where, when and how urgently; everything is optional. */
export function JobOptions({
  type,
  options,
  onChange,
}: {
  type: JobTypeRow;
  options: Options;
  onChange: (options: Options) => void;
}) {
  const set = (name: keyof Options) => (event: { currentTarget: { value: string } }) =>
    onChange({ ...options, [name]: event.currentTarget.value });
  return (
    <div className={classes.fields}>
      <NativeSelect
        label="Lane"
        data={[
          { value: '', label: `${type.effective_lane}, as the type` },
          ...lanes.filter((lane) => lane !== 'inline'),
        ]}
        value={options.lane}
        onChange={set('lane')}
      />
      <TextInput
        label="Priority"
        type="number"
        placeholder={String(type.priority)}
        value={options.priority}
        onChange={set('priority')}
      />
      <TextInput label="Not before" type="datetime-local" value={options.runAt} onChange={set('runAt')} />
      <TextInput
        label="Idempotency key"
        placeholder="none"
        value={options.idempotencyKey}
        onChange={set('idempotencyKey')}
      />
    </div>
  );
}
