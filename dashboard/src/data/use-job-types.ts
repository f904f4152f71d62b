import { useQuery } from '@tanstack/react-query';
import { useOperator } from './operator-context.ts';
import type { JobTypeRow } from './rows.ts';

/** The job types that the database knows; they change with deploys only, so that they are asked for once a minute at most. */
export function useJobTypes(): JobTypeRow[] {
  const operator = useOperator();
  const { data } = useQuery({
    queryKey: ['job-types'],
    queryFn: () => operator.jobTypes(),
    staleTime: 60_000,
  });
  return data ?? [];
}
