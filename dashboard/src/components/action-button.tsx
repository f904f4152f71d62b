import { Button, type ButtonProps } from '@mantine/core';
import { lazy, Suspense, useState, type ReactNode } from 'react';

const ConfirmDialog = lazy(() => import('./confirm-dialog.tsx'));

export interface Action {
  /** What is asked before anything happens: `Cancel this job?` */
  title: string;
  /** What will happen, and fields that belong to it. */
  children?: ReactNode;
  /** On the button that does it. */
  confirm: string;
  isDangerous?: boolean;
  /** Does it. @returns what to say then */
  run: () => Promise<string>;
}

/** A button that asks before it acts. */
export function ActionButton({
  label,
  name = label,
  action,
  ...look
}: {
  label: string;
  /** For screen readers, where `label` alone does not say what it is about. */
  name?: string;
  action: Action;
} & Pick<ButtonProps, 'size' | 'variant' | 'color' | 'disabled'>) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button size="xs" variant="default" aria-label={name} {...look} onClick={() => setOpen(true)}>
        {label}
      </Button>
      {isOpen && (
        <Suspense>
          <ConfirmDialog {...action} onClose={() => setOpen(false)} />
        </Suspense>
      )}
    </>
  );
}
