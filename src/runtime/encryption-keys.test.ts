import { describe, expect, it } from 'vitest';
import { encryptionKeys } from './encryption-keys.ts';

const key = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(fill);

describe('the keys of GITHUB_TOKEN_ENCRYPTION_KEY', () => {
  const base64 = (fill: number): string => btoa(String.fromCharCode(...key(fill)));

  it('are 32 bytes in base64, separated by commas', () => {
    expect(encryptionKeys(base64(1))).toEqual([key(1)]);
    expect(encryptionKeys(`${base64(2)}, ${base64(1)}`)).toEqual([key(2), key(1)]);
  });

  it.each(['short', `${base64(1)},`, btoa('x'.repeat(31)), btoa('x'.repeat(33)), '€'.repeat(44)])(
    'are not %s',
    (text) => {
      expect(() => encryptionKeys(text)).toThrow('32 bytes');
    },
  );
});
