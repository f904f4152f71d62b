import { createHash, timingSafeEqual } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload } from 'jose';

export interface GatewayKeys {
  /** `sb_secret_…`: role `service_role`. */
  secret: string;
  /** `sb_publishable_…`: role `anon`. */
  publishable: string;
  /** Signs (HS256) legacy keys and users' access tokens, whose `role` claim counts. */
  jwtSecret: string;
}

const ROLES = ['anon', 'authenticated', 'service_role'] as const;

/** Who calls: the database role and the claims that SQL finds in `request.jwt.claims`. */
export interface Caller {
  role: (typeof ROLES)[number];
  claims: JWTPayload;
}

/** The gateway's 401. */
export class KeyError extends Error {
  override readonly name = 'KeyError';
  readonly hint: string;
  readonly code: string | undefined;

  constructor(message: string, hint: string, options: ErrorOptions & { code?: string } = {}) {
    super(message, options);
    this.hint = hint;
    this.code = options.code;
  }
}

/** @returns who calls, by `Authorization: Bearer` where it is given, else by `apikey`; both must be good. Throws KeyError. */
export type KeyRing = (headers: Headers) => Promise<Caller>;

export function createKeyRing(keys: GatewayKeys): KeyRing {
  return async (headers) => {
    const apiKey = headers.get('apikey');
    const bearer = /^Bearer\s+(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1];
    const given = [apiKey, bearer].filter((key) => key != null);
    const callers = await Promise.all(given.map(async (key) => await identify(keys, key)));
    const caller = callers.at(-1);
    if (!caller) throw new KeyError('No API key found in request', 'No `apikey` request header was found.');
    return caller;
  };
}

async function identify(keys: GatewayKeys, key: string): Promise<Caller> {
  if (isSame(key, keys.secret)) return { role: 'service_role', claims: { role: 'service_role' } };
  if (isSame(key, keys.publishable)) return { role: 'anon', claims: { role: 'anon' } };
  const claims = await verify(keys.jwtSecret, key);
  const role = ROLES.find((known) => known === claims.role);
  if (!role) throw invalid();
  return { role, claims };
}

async function verify(jwtSecret: string, token: string): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, new TextEncoder().encode(jwtSecret), {
      algorithms: ['HS256'],
    });
    return payload;
  } catch (cause) {
    if (cause instanceof errors.JWTExpired) {
      throw new KeyError('JWT expired', 'Ask for a new token.', { cause, code: 'PGRST303' });
    }
    throw invalid(cause);
  }
}

function invalid(cause?: unknown): KeyError {
  return new KeyError('Invalid API key', 'Double check the key of this project.', { cause });
}

/** In constant time, whatever the lengths. */
function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
