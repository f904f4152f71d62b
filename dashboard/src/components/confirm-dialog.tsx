import { Button, Group, Modal, Stack } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Action } from './action-button.tsx';
import { Failure } from './answers.tsx';
import { useNotice } from './notices.tsx';
import { refreshViews } from '../data/refresh.ts';

/** Asks, acts, says what came of it, and has every view ask anew; a refusal stays in the dialog. */
export default function ConfirmDialog({
  title,
  children,
  confirm,
  isDangerous = false,
  run,
  onClose,
}: Action & { onClose: () => void }) {
  const queries = useQueryClient();
  const notice = useNotice();
  const { mutate, isPending, error } = useMutation({
    mutationFn: run,
    onSuccess: (said) => {
      notice(said);
      onClose();
      void refreshViews(queries);
    },
  });
  return (
    <Modal.Root opened onClose={onClose} centered>
      <Modal.Overlay />
      <Modal.Content>
        <Modal.Body pt="md">
          <form
            onSubmit={(event) => {
              event.preventDefault();
              mutate();
            }}
          >
            <Stack gap="md">
              <Modal.Title fw={600}>{title}</Modal.Title>
              {children}
              {error && <Failure error={error} />}
              <Group justify="flex-end" gap="xs">
                <Button variant="default" onClick={onClose}>
                  Not now
                </Button>
                <Button
                  type="submit"
                  loading={isPending}
                  color={isDangerous ? 'red' : undefined}
                  data-autofocus
                >
                  {confirm}
                </Button>
              </Group>
            </Stack>
          </form>
        </Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}
