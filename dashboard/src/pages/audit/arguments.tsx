import { Anchor } from '@mantine/core';
import type { Json } from '../../data/rows.ts';
import { href } from '../../location/route.ts';

/** Named arguments on a line, a job as a link to it. */
export function Arguments({ value }: { value: Json }) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return JSON.stringify(value);
  const given = Object.entries(value).filter(([, argument]) => argument !== null);
  return given.map(([name, argument]) => (
    <div key={name} style={{ overflowWrap: 'anywhere' }}>
      <span style={{ color: 'var(--mantine-color-dimmed)' }}>{name} </span>
      {name === 'job_id' && typeof argument === 'string' ? (
        <Anchor inherit href={href(['jobs', argument])}>
          {argument}
        </Anchor>
      ) : (
        <span>{typeof argument === 'string' ? argument : JSON.stringify(argument)}</span>
      )}
    </div>
  ));
}
