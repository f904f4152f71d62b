import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Where it is kept which migrations the code needs. */
export const neededSchemaFile = fileURLToPath(new URL('../database/needed-schema.ts', import.meta.url));

const migrations = fileURLToPath(new URL('../../supabase/migrations/', import.meta.url));

/** The version of the newest migration as TypeScript: what is deployed has the number, not the files. */
export async function generateNeededSchema(): Promise<string> {
  const versions = (await readdir(migrations)).filter((file) => file.endsWith('.sql')).sort();
  const [newest] = versions.at(-1)?.split('_') ?? [];
  if (newest === undefined) throw new Error(`${migrations}: expected migrations, got none`);
  return `// Made from the migrations by \`npm run types:generate\`; edits are lost.

/** The newest migration that this code was made with. */
export const neededSchema = '${newest}';
`;
}
