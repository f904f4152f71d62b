import { Alert, Button, Paper, Skeleton, Stack, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { OperatorError } from '../data/operator-error.ts';

/** While the first answer is on its way. */
export function Loading({ lines = 6 }: { lines?: number }) {
  return (
    <Stack gap="sm" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={28} />
      ))}
    </Stack>
  );
}

/** A refused or unanswered question, with what can be done about it. */
export function Failure({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const hint = error instanceof OperatorError ? error.hint : undefined;
  return (
    <Alert variant="outline" color="red" role="alert" title={error.message}>
      <Stack gap="xs" align="flex-start">
        {hint && <Text size="sm">{hint}</Text>}
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            Ask again
          </Button>
        )}
      </Stack>
    </Alert>
  );
}

/**
 * Nothing to show, and what would change that.
 * @param isPage the page has no other heading
 */
export function Empty({
  title,
  isPage = false,
  children,
}: {
  title: string;
  isPage?: boolean;
  children?: ReactNode;
}) {
  return (
    <Paper withBorder p="xl" ta="center">
      <Text fw={600} component={isPage ? 'h1' : 'p'} m={0}>
        {title}
      </Text>
      {children && (
        <Text size="sm" c="dimmed" component="div" mt={4}>
          {children}
        </Text>
      )}
    </Paper>
  );
}
