import { Alert } from '@mantine/core';
import { createContext, use, useCallback, useRef, useState, type ReactNode } from 'react';
import classes from './notices.module.css';

const SHOWN_MS = 7_000;

const NoticeContext = createContext<(text: string) => void>(() => {});

/** Says in a corner, and to screen readers, what an action did. */
export function useNotice(): (text: string) => void {
  return use(NoticeContext);
}

export function Notices({ children }: { children: ReactNode }) {
  const [notice, setNotice] = useState<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const show = useCallback((text: string) => {
    clearTimeout(timer.current);
    setNotice(text);
    timer.current = setTimeout(() => setNotice(null), SHOWN_MS);
  }, []);
  return (
    <NoticeContext value={show}>
      {children}
      <div className={classes.corner} role="status" aria-live="polite">
        {notice !== null && (
          <Alert
            variant="default"
            withCloseButton
            closeButtonLabel="Dismiss"
            onClose={() => setNotice(null)}
            title={notice}
          />
        )}
      </div>
    </NoticeContext>
  );
}
