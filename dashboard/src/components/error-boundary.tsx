import { Button, Stack, Text } from '@mantine/core';
import { Component, type ReactNode } from 'react';

interface Props {
  children: ReactNode;
}

/** Keeps a part that breaks, or whose code cannot be loaded after a deploy, from taking the page along. */
export class ErrorBoundary extends Component<Props, { error: Error | null }> {
  override state: { error: Error | null } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: Error } {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (!error) return this.props.children;
    return (
      <Stack gap="xs" align="flex-start" role="alert" p="md">
        <Text fw={600}>This part of the page does not work</Text>
        <Text size="sm">{error.message}</Text>
        <Text size="sm">A reload helps when the dashboard was deployed since it was opened.</Text>
        <Button size="xs" variant="default" onClick={() => window.location.reload()}>
          Reload
        </Button>
      </Stack>
    );
  }
}
