import { Button, Group, NativeSelect, Text } from '@mantine/core';
import { useState } from 'react';
import { ActionButton } from '../../components/action-button.tsx';
import { useOperator } from '../../data/operator-context.ts';
import { lanes, type JobTypeRow } from '../../data/rows.ts';
import { href } from '../../location/route.ts';

export function TypeActions({ row }: { row: JobTypeRow }) {
  return (
    <Group gap={6} wrap="nowrap">
      {row.paused ? <Resume type={row.type} /> : <Pause type={row.type} />}
      <MoveLane row={row} />
      <Button
        component="a"
        size="compact-xs"
        variant="default"
        href={href(['enqueue'], { type: row.type })}
        aria-label={`Enqueue ${row.type}`}
      >
        Enqueue
      </Button>
    </Group>
  );
}

function Pause({ type }: { type: string }) {
  const operator = useOperator();
  return (
    <ActionButton
      label="Pause"
      name={`Pause ${type}`}
      size="compact-xs"
      action={{
        title: `Pause ${type}?`,
        confirm: 'Pause',
        children: (
          <Text size="sm">Running jobs go on; waiting and new ones wait until the type is resumed.</Text>
        ),
        run: async () => {
          await operator.pause(type);
          return `${type} is paused.`;
        },
      }}
    />
  );
}

function Resume({ type }: { type: string }) {
  const operator = useOperator();
  return (
    <ActionButton
      label="Resume"
      name={`Resume ${type}`}
      size="compact-xs"
      action={{
        title: `Resume ${type}?`,
        confirm: 'Resume',
        children: <Text size="sm">Jobs that waited become claimable at once.</Text>,
        run: async () => {
          await operator.resume(type);
          return `${type} runs again.`;
        },
      }}
    />
  );
}

const AS_DEFINED = 'as defined';

function MoveLane({ row: { type, lane, lane_override } }: { row: JobTypeRow }) {
  const operator = useOperator();
  const [chosen, setChosen] = useState<string>(lane_override ?? AS_DEFINED);
  return (
    <ActionButton
      label="Move"
      name={`Move ${type} to another lane`}
      size="compact-xs"
      action={{
        title: `Move ${type} to another lane?`,
        confirm: 'Move',
        children: (
          <>
            <Text size="sm">New jobs of this type run on the lane, without a deploy.</Text>
            <NativeSelect
              label="Lane"
              data={[{ value: AS_DEFINED, label: `${lane}, as defined` }, ...lanes]}
              value={chosen}
              onChange={(event) => setChosen(event.currentTarget.value)}
            />
          </>
        ),
        run: async () => {
          await operator.setLane(type, lanes.find((known) => known === chosen) ?? null);
          return chosen === AS_DEFINED
            ? `${type} runs where it is defined.`
            : `${type} runs on the ${chosen} lane.`;
        },
      }}
    />
  );
}
