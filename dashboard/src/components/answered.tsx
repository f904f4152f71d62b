import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failure, Loading } from './answers.tsx';

/** Shows what was answered; a failed repetition stands above the last good answer instead of replacing it. */
export function Answered<Data>({
  query,
  children,
}: {
  query: UseQueryResult<Data>;
  children: (data: Data) => ReactNode;
}) {
  const { data, error } = query;
  return (
    <>
      {error && <Failure error={error} onRetry={() => void query.refetch()} />}
      {data !== undefined ? children(data) : !error && <Loading />}
    </>
  );
}
