import { Group, Text } from '@mantine/core';
import { ActionButton } from '../../components/action-button.tsx';
import { useOperator } from '../../data/operator-context.ts';
import type { ScheduleRow } from '../../data/rows.ts';

const GONE = 'There is no such schedule any more.';

export function ScheduleActions({ row: { name, enabled, source } }: { row: ScheduleRow }) {
  const operator = useOperator();
  return (
    <Group gap={6} wrap="nowrap">
      {enabled ? (
        <ActionButton
          label="Pause"
          name={`Pause the schedule ${name}`}
          size="compact-xs"
          action={{
            title: `Pause the schedule ${name}?`,
            confirm: 'Pause',
            children: <Text size="sm">It enqueues nothing until it is resumed.</Text>,
            run: async () => ((await operator.pauseSchedule(name)) ? `${name} is paused.` : GONE),
          }}
        />
      ) : (
        <ActionButton
          label="Resume"
          name={`Resume the schedule ${name}`}
          size="compact-xs"
          action={{
            title: `Resume the schedule ${name}?`,
            confirm: 'Resume',
            children: <Text size="sm">It goes on with the next time that its cron expression names.</Text>,
            run: async () => ((await operator.resumeSchedule(name)) ? `${name} goes on.` : GONE),
          }}
        />
      )}
      {source === 'operator' && (
        <ActionButton
          label="Remove"
          name={`Remove the schedule ${name}`}
          size="compact-xs"
          action={{
            title: `Remove the schedule ${name}?`,
            confirm: 'Remove',
            isDangerous: true,
            children: <Text size="sm">Jobs that it has enqueued stay.</Text>,
            run: async () => ((await operator.removeSchedule(name)) ? `${name} is removed.` : GONE),
          }}
        />
      )}
    </Group>
  );
}
