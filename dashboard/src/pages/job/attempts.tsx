import { Text } from '@mantine/core';
import { Age } from '../../components/age.tsx';
import type { Attempt } from '../../data/rows.ts';
import { formatDuration } from '../../format/numbers.ts';
import classes from './attempts.module.css';

/** Every failed, snoozed, handed-off and rescued attempt with its error, the latest first. */
export function Attempts({ rows }: { rows: Attempt[] }) {
  if (rows.length === 0)
    return (
      <Text size="sm" c="dimmed">
        None.
      </Text>
    );
  return (
    <ol className={classes.attempts} reversed>
      {rows.toReversed().map((attempt) => (
        <li key={attempt.number} value={attempt.number}>
          <Line attempt={attempt} />
        </li>
      ))}
    </ol>
  );
}

function Line({
  attempt: { number, outcome, lane, worker, started_at, ended_at, error },
}: {
  attempt: Attempt;
}) {
  const took = formatDuration(Date.parse(ended_at) - Date.parse(started_at));
  return (
    <>
      <div className={classes.line}>
        <strong>{`${number}. ${outcome.replace(/_/g, ' ')}`}</strong>
        <span className={classes.aside}>
          {`after ${took}, lane ${lane}${worker ? `, ${worker}` : ''}, `}
          <Age at={started_at} />
        </span>
      </div>
      {error?.message && (
        <p className={classes.error}>
          {error.name ? `${error.name}: ` : ''}
          {error.message}
        </p>
      )}
      {error?.stack && (
        <details>
          <summary>Stack</summary>
          <pre className={classes.stack} tabIndex={0} role="region" aria-label={`Stack of attempt ${number}`}>
            {error.stack}
          </pre>
        </details>
      )}
    </>
  );
}
