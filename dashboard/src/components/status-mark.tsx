import type { JobStatus } from '../data/rows.ts';
import classes from './status-mark.module.css';

/** The word says it, the dot's colour and shape repeat it. */
export function StatusMark({ status }: { status: JobStatus }) {
  return (
    <span className={classes.mark}>
      <span className={classes.dot} data-status={status} aria-hidden="true" />
      {status}
    </span>
  );
}

/** The mark alone, where there is no room for the word. */
export function StatusDot({ status }: { status: JobStatus }) {
  return <span className={classes.dot} data-status={status} role="img" aria-label={status} />;
}
