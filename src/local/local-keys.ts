import { createHash, randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import type { GatewayKeys } from './gateway-keys.ts';

const keysSchema = z.object({ secret: z.string(), publishable: z.string(), jwtSecret: z.string() });

/**
 * The keys of this machine's stack: made once, kept in `file`, readable by its owner only.
 * @throws {Error} the file is damaged; it names the file and not what is in it
 */
export async function localKeys(file: string): Promise<GatewayKeys> {
  const known = await readFile(file, 'utf8').catch(() => undefined);
  if (known !== undefined) return parseKeys(known, file);
  const keys = {
    secret: newKey('sb_secret'),
    publishable: newKey('sb_publishable'),
    jwtSecret: newKey('jwt'),
  };
  await writeFile(file, JSON.stringify(keys, null, 2), { mode: 0o600 });
  return keys;
}

/** Under which the stack keeps users' secrets: base64 of 32 bytes, the same as long as the keys are. */
export function localEncryptionKey({ jwtSecret }: GatewayKeys): string {
  return createHash('sha256').update(`encryption key ${jwtSecret}`).digest('base64');
}

function parseKeys(text: string, file: string): GatewayKeys {
  try {
    return keysSchema.parse(JSON.parse(text));
  } catch {
    throw new Error(`${file}: expected the keys of the local stack as JSON; delete it to have new ones made`);
  }
}

function newKey(prefix: string): string {
  return `${prefix}_${randomBytes(24).toString('base64url')}`;
}
