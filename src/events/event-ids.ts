/** Crockford's base 32, https://github.com/ulid/spec */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ulidLength = 26;
const largestMillis = 2 ** 48 - 1;

interface Seed {
  millis: number;
  /** 10 bytes. */
  entropy: Uint8Array;
}

/**
 * Ids for the events of one request that bring none: ULIDs, made as Inngest's server makes them from the header
 * `x-inngest-event-id-seed` (`<epoch ms>,<10 bytes in base64>`), by adding the position, from 1, to the last four bytes.
 * A sender that repeats a request repeats the header, so its events keep their ids. Without the header they are new.
 * https://github.com/inngest/inngest/blob/main/pkg/event/id.go
 */
export function createEventIds(header: string | null, now: Date): (position: number) => string {
  const seed = readSeed(header);
  return (position) => {
    if (!seed) return ulid(now.getTime(), crypto.getRandomValues(new Uint8Array(10)));
    const entropy = seed.entropy.slice();
    const tail = new DataView(entropy.buffer, 6);
    tail.setUint32(0, tail.getUint32(0) + position);
    return ulid(seed.millis, entropy);
  };
}

function readSeed(header: string | null): Seed | null {
  const [, millisText, base64] = /^(\d{1,15}),([A-Za-z0-9+/]+={0,2})$/.exec(header ?? '') ?? [];
  if (millisText === undefined || base64 === undefined) return null;
  const millis = Number(millisText);
  const entropy = decodeBase64(base64);
  return millis > 0 && millis <= largestMillis && entropy?.length === 10 ? { millis, entropy } : null;
}

function decodeBase64(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
  } catch {
    // A malformed header counts as none, as it does to Inngest.
    return null;
  }
}

function ulid(millis: number, entropy: Uint8Array): string {
  let rest = BigInt(millis);
  for (const byte of entropy) rest = (rest << 8n) | BigInt(byte);
  let text = '';
  while (text.length < ulidLength) {
    text = alphabet.charAt(Number(rest & 31n)) + text;
    rest >>= 5n;
  }
  return text;
}
