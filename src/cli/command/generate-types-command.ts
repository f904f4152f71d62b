import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generatedTypesFile, generateTypes } from '../../local/generated-types.ts';
import { generateNeededSchema, neededSchemaFile } from '../../local/needed-schema.ts';
import { migrate } from '../../local/migrate.ts';
import { startPostgres } from '../../local/postgres.ts';
import { createNodeLogger } from '../../runtime/node-logger.ts';
import { readCommandLine } from './command-line.ts';

const help = `Writes src/database/generated-types.ts: the tables and functions that the migrations make, as TypeScript; and
src/database/needed-schema.ts: the version of the newest one.
Starts a Postgres of its own for it; a running stack is left alone.

  npm run types:generate

  --help   this text`;

/** `npm run types:generate`: @returns the exit code */
export async function generateTypesCommand({ args }: { args: string[] }): Promise<number> {
  readCommandLine(args, {}, help);
  const folder = await mkdtemp(join(tmpdir(), 'hybrid-jobs-types-'));
  const log = createNodeLogger({ level: 'warn' });
  const server = await startPostgres({ dataDir: join(folder, 'data'), persistent: false, log });
  try {
    await migrate(server.url, log);
    await writeFile(generatedTypesFile, await generateTypes(server.url));
    await writeFile(neededSchemaFile, await generateNeededSchema());
    console.log(`Written: ${generatedTypesFile}, ${neededSchemaFile}`);
    return 0;
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
