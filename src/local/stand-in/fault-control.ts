import { z } from 'zod';

/** What every fault says of how often it happens. */
export interface RepeatedFault {
  /** How many matching requests are hit. Default 1. */
  times?: number | 'always';
  /** How many matching requests pass unharmed first. Default 0. */
  skip?: number;
}

/** The same for the schema of a fault. */
export const repetition = {
  times: z.union([z.int().positive(), z.literal('always')]).exactOptional(),
  skip: z.int().nonnegative().exactOptional(),
};

/** Orders faults and takes them back. The first one ordered that matches a request hits it. */
export interface FaultControl<Fault, Target = never> {
  add(...faults: readonly Fault[]): void;
  clear(): void;
  /** The fault for this request, which is thereby counted. */
  take(target: Target): Fault | undefined;
}

/** @param matches - whether the fault is meant for such a request */
export function createFaultControl<Fault extends RepeatedFault, Target>(
  matches: (fault: Fault, target: Target) => boolean,
): FaultControl<Fault, Target> {
  let active: { fault: Fault; toSkip: number; left: number }[] = [];
  return {
    add: (...faults) => {
      for (const fault of faults) {
        const times = fault.times ?? 1;
        active.push({ fault, toSkip: fault.skip ?? 0, left: times === 'always' ? Infinity : times });
      }
    },
    clear: () => {
      active = [];
    },
    take: (target) => {
      for (const entry of active) {
        if (!matches(entry.fault, target)) continue;
        if (entry.toSkip > 0) {
          entry.toSkip -= 1;
          continue;
        }
        entry.left -= 1;
        active = active.filter(({ left }) => left > 0);
        return entry.fault;
      }
      return undefined;
    },
  };
}

/** A path in which `*` stands for anything. */
export function pathPattern(pattern: string): RegExp {
  const literal = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${literal.replaceAll('*', '.*')}$`);
}
