import { Group, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** The page's one heading of the first level, and what can be done on the page. */
export function PageHeading({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <Group justify="space-between" mb="md" gap="sm">
      <Title order={1} size="h3" style={{ overflowWrap: 'anywhere' }}>
        {title}
      </Title>
      {children && <Group gap="xs">{children}</Group>}
    </Group>
  );
}
