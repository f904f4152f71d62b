import { createContext, use } from 'react';
import type { Operator } from './operator.ts';

export const OperatorContext = createContext<Operator | null>(null);

/** The calls of the signed-in operator. */
export function useOperator(): Operator {
  const operator = use(OperatorContext);
  if (!operator) throw new Error('useOperator: expected to be inside JobMonitor');
  return operator;
}
