const tokens = [
  /\bgh[pousr]_[A-Za-z0-9]{8,}/g,
  /\bgithub_pat_\w{8,}/g,
  /\bsk-[\w-]{8,}/g,
  /\bsb_(?:secret|publishable)_[\w-]{4,}/g,
  /\bsignkey-[\w-]{8,}/g,
  /\beyJ[\w-]{4,}\.[\w-]{4,}\.[\w-]*/g,
];

/** `Bearer abc`, `token abc` in an authorization header, and `scheme://user:password@host`. */
const bearer = /\b(Bearer|Basic)\s+[\w.~+/=-]{6,}/gi;
const urlPassword = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*:)[^\s@/]+@/gi;

/** Replaces what looks like a token or password by `[redacted]`. Error texts pass through it before they are stored. */
export function redact(text: string): string {
  const withoutTokens = tokens.reduce((rest, token) => rest.replace(token, '[redacted]'), text);
  return withoutTokens.replace(bearer, '$1 [redacted]').replace(urlPassword, '$1[redacted]@');
}
