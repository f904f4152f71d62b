import { Anchor } from '@mantine/core';
import type { ReactNode } from 'react';
import type { JobFilter } from '../data/rows.ts';
import { href } from '../location/route.ts';

/** Leads to the jobs of a filter. */
export function JobsLink({ filter, children }: { filter: JobFilter; children: ReactNode }) {
  return (
    <Anchor size="sm" inherit href={href(['jobs'], { ...filter })}>
      {children}
    </Anchor>
  );
}
