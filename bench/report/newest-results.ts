import { readdir, readFile } from 'node:fs/promises';
import type { SectionResult } from '../section.ts';

/** A result file. */
export interface SavedResult extends SectionResult {
  section: string;
  /** When it was written. */
  at: string;
  commit: string;
  machine: {
    cpu: string;
    cores: number;
    memoryBytes: number;
    /** Load averages over 1, 5 and 15 minutes. */
    loadBefore: number[];
    loadAfter: number[];
    node: string;
  };
}

const kept = new URL('../results/', import.meta.url);

/** The newest result of each section, by section; files from before the comparisons had their shape are passed over. */
export async function newestResults(): Promise<Map<string, SavedResult>> {
  const newest = new Map<string, SavedResult>();
  // Names begin with the time.
  for (const name of (await readdir(kept)).filter((file) => file.endsWith('.json')).sort()) {
    const result = JSON.parse(await readFile(new URL(name, kept), 'utf8')) as SavedResult;
    if ('comparisons' in result) newest.set(result.section, result);
  }
  return newest;
}
