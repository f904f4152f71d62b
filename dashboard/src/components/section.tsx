import { Group, Title } from '@mantine/core';
import { useId, type ReactNode } from 'react';

/** A part of a page under a heading of the second level. */
export function Section({
  title,
  aside,
  children,
}: {
  title: string;
  aside?: ReactNode;
  children: ReactNode;
}) {
  const heading = useId();
  return (
    <section aria-labelledby={heading} style={{ minWidth: 0 }}>
      <Group justify="space-between" mb={8} gap="xs">
        <Title order={2} size="h6" id={heading}>
          {title}
        </Title>
        {aside}
      </Group>
      {children}
    </section>
  );
}
