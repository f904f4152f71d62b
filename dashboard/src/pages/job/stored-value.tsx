import { Text } from '@mantine/core';
import { JsonBlock } from '../../components/json-block.tsx';
import { Section } from '../../components/section.tsx';
import type { Json } from '../../data/rows.ts';
import { formatBytes } from '../../format/numbers.ts';

/** Payload or result; too large ones stay in the database. */
export function StoredValue({
  title,
  value,
  isOmitted = false,
  bytes = 0,
}: {
  title: string;
  value: Json;
  isOmitted?: boolean;
  bytes?: number;
}) {
  return (
    <Section title={title}>
      {isOmitted ? (
        <Text size="sm">{`${formatBytes(bytes)}, too large to show here. Read it in Supabase Studio.`}</Text>
      ) : (
        <JsonBlock label={`${title} as JSON`} value={value} />
      )}
    </Section>
  );
}
