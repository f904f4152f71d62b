import type fc from 'fast-check';

/** A part of the system that strangers can talk to, with what must hold whatever they say. */
export interface FuzzTarget {
  name: string;
  /** Share of the cases of a run. */
  weight: number;
  /** @param databaseUrl - of a superuser, on a database with all migrations */
  open(databaseUrl: string): Promise<OpenTarget>;
}

export interface OpenTarget {
  property: fc.IAsyncPropertyWithHooks<[unknown]>;
  /** What was tried so far, in a line. */
  summary(): string;
  close(): Promise<void>;
}
