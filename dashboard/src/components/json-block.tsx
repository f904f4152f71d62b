import { ActionIcon, CopyButton } from '@mantine/core';
import type { Json } from '../data/rows.ts';
import classes from './json-block.module.css';

/** JSON, indented, with a button that copies it. */
export function JsonBlock({ label, value }: { label: string; value: Json }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <div className={classes.block}>
      <pre className={classes.text} tabIndex={0} role="region" aria-label={label}>
        {text}
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <ActionIcon
            className={classes.copy}
            variant="default"
            size="sm"
            aria-label={copied ? `${label}: copied` : `Copy ${label}`}
            title={copied ? 'Copied' : 'Copy'}
            onClick={copy}
          >
            {copied ? '✓' : <CopyIcon />}
          </ActionIcon>
        )}
      </CopyButton>
    </div>
  );
}

function CopyIcon() {
  return (
    <svg width="12" height="12" viewBox="0 0 12 12" fill="none" stroke="currentColor" aria-hidden="true">
      <rect x="1" y="3.5" width="7.5" height="7.5" rx="1" />
      <path d="M4 3.5V1.5a.5.5 0 0 1 .5-.5h6a.5.5 0 0 1 .5.5v6a.5.5 0 0 1-.5.5h-2" />
    </svg>
  );
}
