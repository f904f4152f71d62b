import { randomBytes, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';

const ACCESS_TOKEN_SECONDS = 3600;

/** The only user that the local stack knows: whoever reads the terminal of `npm start`. */
const user = {
  id: '00000000-0000-4000-8000-00000000da5b',
  aud: 'authenticated',
  role: 'authenticated',
  email: 'operator@localhost',
  app_metadata: { provider: 'link', role: 'job_operator' },
  user_metadata: {},
} as const;

/** What Supabase Auth answers to a sign-in and to a refresh. */
export interface AuthSession {
  access_token: string;
  token_type: 'bearer';
  /** Seconds. */
  expires_in: number;
  /** Unix time in seconds. */
  expires_at: number;
  refresh_token: string;
  user: typeof user;
}

/** Sessions of the local stack's operator, in memory: they end with the stack. */
export interface OperatorSessions {
  user: typeof user;
  /** A code that signs a browser in, once. */
  issueCode(): string;
  /** Undefined for a code that was used, or never issued. */
  redeem(code: string): Promise<AuthSession | undefined>;
  /** Undefined when the session has ended, or is not one of this stack. */
  refresh(refreshToken: string): Promise<AuthSession | undefined>;
  isAlive(sessionId: unknown): boolean;
  end(sessionId: unknown): void;
}

/**
 * @param jwtSecret - signs the access tokens; the gateway checks them with it
 * @param now - milliseconds since 1970
 */
export function createOperatorSessions(jwtSecret: string, now: () => number = Date.now): OperatorSessions {
  const codes = new Set<string>();
  /** Session ids by refresh token. */
  const sessions = new Map<string, string>();

  async function session(sessionId: string, refreshToken: string): Promise<AuthSession> {
    const issuedAt = Math.floor(now() / 1000);
    const expiresAt = issuedAt + ACCESS_TOKEN_SECONDS;
    const { id: sub, aud, ...claims } = user;
    const accessToken = await new SignJWT({ ...claims, session_id: sessionId })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setSubject(sub)
      .setAudience(aud)
      .setIssuedAt(issuedAt)
      .setExpirationTime(expiresAt)
      .sign(new TextEncoder().encode(jwtSecret));
    return {
      access_token: accessToken,
      token_type: 'bearer',
      expires_in: ACCESS_TOKEN_SECONDS,
      expires_at: expiresAt,
      refresh_token: refreshToken,
      user,
    };
  }

  return {
    user,
    issueCode() {
      const code = randomBytes(24).toString('base64url');
      codes.add(code);
      return code;
    },
    async redeem(code) {
      if (!codes.delete(code)) return undefined;
      const refreshToken = randomBytes(24).toString('base64url');
      const sessionId = randomUUID();
      sessions.set(refreshToken, sessionId);
      return await session(sessionId, refreshToken);
    },
    async refresh(refreshToken) {
      const sessionId = sessions.get(refreshToken);
      return sessionId === undefined ? undefined : await session(sessionId, refreshToken);
    },
    isAlive: (sessionId) => [...sessions.values()].some((alive) => alive === sessionId),
    end(sessionId) {
      for (const [refreshToken, id] of sessions) if (id === sessionId) sessions.delete(refreshToken);
    },
  };
}
