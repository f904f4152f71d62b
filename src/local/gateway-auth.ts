import { Hono, type Context } from 'hono';
import { z } from 'zod';
import { KeyError, type Caller, type KeyRing } from './gateway-keys.ts';
import type { AuthSession, OperatorSessions } from './operator-sessions.ts';

const verifyBody = z.object({ token_hash: z.string() });
const refreshBody = z.object({ refresh_token: z.string() });

type Env = { Variables: { caller: Caller } };

/**
 * Imitates what supabase-js needs of Supabase Auth (`/auth/v1`) to sign the local operator in by a one-time link, and no
 * more: `verify` with a token hash, `token?grant_type=refresh_token`, `user` and `logout`. There are no passwords.
 */
export function createAuthEndpoint(identify: KeyRing, sessions: OperatorSessions): Hono<Env> {
  const app = new Hono<Env>();
  app.use(async (c, next) => {
    c.set('caller', await identify(c.req.raw.headers));
    await next();
  });
  app.post('/verify', async (c) => {
    const body = verifyBody.safeParse(await readJson(c));
    if (!body.success)
      return refuse(c, 400, 'validation_failed', 'token_hash: expected the code of a sign-in link');
    const session = await sessions.redeem(body.data.token_hash);
    const message = 'The sign-in link was used already, or is not of this stack: npm start prints a new one';
    return session ? c.json<AuthSession>(session) : refuse(c, 403, 'otp_expired', message);
  });
  app.post('/token', async (c) => {
    if (c.req.query('grant_type') !== 'refresh_token')
      return refuse(
        c,
        400,
        'invalid_credentials',
        'The local stack has no passwords: open the link that npm start prints',
      );
    const body = refreshBody.safeParse(await readJson(c));
    const session = body.success ? await sessions.refresh(body.data.refresh_token) : undefined;
    const message = 'The session has ended: open the link that npm start prints';
    return session ? c.json<AuthSession>(session) : refuse(c, 400, 'refresh_token_not_found', message);
  });
  app.get('/user', (c) => {
    const alive = sessions.isAlive(c.get('caller').claims['session_id']);
    return alive ? c.json(sessions.user) : refuse(c, 403, 'session_not_found', 'The session has ended');
  });
  app.post('/logout', (c) => {
    sessions.end(c.get('caller').claims['session_id']);
    return c.body(null, 204);
  });
  app.onError((error, c) => {
    if (error instanceof KeyError) return refuse(c, 401, 'bad_jwt', error.message);
    throw error;
  });
  return app;
}

async function readJson(c: Context): Promise<unknown> {
  return await c.req.json<unknown>().catch(() => undefined);
}

/** Supabase Auth's error body; clients that ask for API version 2024-01-01 read `code`, older ones `error_code`. */
function refuse(c: Context, status: 400 | 401 | 403, code: string, message: string): Response {
  return c.json({ code, error_code: code, message, msg: message }, status, {
    'x-supabase-api-version': '2024-01-01',
    'access-control-expose-headers': 'x-supabase-api-version',
  });
}
