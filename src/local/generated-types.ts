import { introspect } from '@supabase/postgrest-typegen/introspection';
import { generateTypescript, sortGeneratorMetadata } from '@supabase/postgrest-typegen/generation';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { format, resolveConfig } from 'prettier';

/** Where the types of the database are kept. */
export const generatedTypesFile = fileURLToPath(new URL('../database/generated-types.ts', import.meta.url));

const header = '// Made from the migrations by `npm run types:generate`; edits are lost.\n\n';

/**
 * The tables, views and functions of schema `public` as TypeScript, made by Supabase's own generator and formatted like
 * the rest of this repository. The same database always gives the same text.
 *
 * @param url - a database with all migrations applied
 */
export async function generateTypes(url: string): Promise<string> {
  // The generator asks several questions at once, which a single client does not take.
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // A connection that the server cuts while it closes must not end the process.
  pool.on('error', () => {});
  try {
    const metadata = sortGeneratorMetadata(await introspect(pool, { includedSchemas: ['public'] }));
    return await generateTypescript(metadata, { format: (code) => formatted(header + code) });
  } finally {
    await pool.end();
  }
}

async function formatted(code: string): Promise<string> {
  return await format(code, { ...(await resolveConfig(generatedTypesFile)), parser: 'typescript' });
}
