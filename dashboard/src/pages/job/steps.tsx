import { Age } from '../../components/age.tsx';
import { JsonBlock } from '../../components/json-block.tsx';
import type { SavedStep } from '../../data/rows.ts';
import { formatBytes } from '../../format/numbers.ts';
import classes from './attempts.module.css';

/** Steps that are not repeated when the job runs on, in the order they were saved. */
export function Steps({ rows }: { rows: SavedStep[] }) {
  return (
    <ol className={classes.attempts}>
      {rows.map(({ name, saved_at, output, output_bytes, output_omitted }) => (
        <li key={name}>
          <div className={classes.line}>
            <strong>{name}</strong>
            <span className={classes.aside}>
              <Age at={saved_at} />
            </span>
          </div>
          {output_omitted ? (
            <span
              className={classes.aside}
            >{`Output of ${formatBytes(output_bytes)}, too large to show here.`}</span>
          ) : (
            <details>
              <summary>{`Output, ${formatBytes(output_bytes)}`}</summary>
              <JsonBlock label={`Output of ${name}`} value={output} />
            </details>
          )}
        </li>
      ))}
    </ol>
  );
}
