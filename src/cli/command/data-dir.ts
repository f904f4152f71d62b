import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of the repository. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

/** The flag that every command of the local stack has. */
export const dataDirOption = { 'data-dir': { type: 'string', default: '.local' } } as const;

/** A relative folder is one of the repository's. */
export function resolveDataDir(value: string): string {
  return resolve(root, value);
}
