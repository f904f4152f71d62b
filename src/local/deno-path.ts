import { fileURLToPath } from 'node:url';

/** The Deno binary of the npm package `deno`. */
export const denoPath = fileURLToPath(new URL('../../node_modules/deno/deno', import.meta.url));
