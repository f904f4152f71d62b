import { NativeSelect, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ActionButton } from '../../components/action-button.tsx';
import { useOperator } from '../../data/operator-context.ts';
import { useJobTypes } from '../../data/use-job-types.ts';

const EMPTY = { name: '', type: '', cron: '', timezone: 'UTC' };

/** Adds a schedule, or changes the one of that name. */
export function SetSchedule() {
  const operator = useOperator();
  const types = useJobTypes();
  const [schedule, setSchedule] = useState(EMPTY);
  const text = (field: keyof typeof EMPTY, label: string, description?: string) => (
    <TextInput
      label={label}
      description={description}
      required
      value={schedule[field]}
      onChange={(event) => setSchedule({ ...schedule, [field]: event.currentTarget.value })}
    />
  );
  return (
    <ActionButton
      label="Set a schedule"
      action={{
        title: 'Set a schedule',
        confirm: 'Set',
        children: (
          <>
            <Text size="sm">Jobs of the type are enqueued with an empty payload.</Text>
            {text('name', 'Name', 'A known name changes that schedule.')}
            <NativeSelect
              label="Type"
              required
              data={[{ value: '', label: 'choose one' }, ...types.map(({ type }) => type)]}
              value={schedule.type}
              onChange={(event) => setSchedule({ ...schedule, type: event.currentTarget.value })}
            />
            {text('cron', 'Cron expression', 'Minute, hour, day of month, month, day of week: 0 4 * * *')}
            {text('timezone', 'Time zone')}
          </>
        ),
        run: async () => {
          const isNew = await operator.setSchedule({ ...schedule, payload: {} });
          setSchedule(EMPTY);
          return isNew ? `${schedule.name} is scheduled.` : `${schedule.name} is changed.`;
        },
      }}
    />
  );
}
