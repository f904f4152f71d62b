import { describe, expect, it } from 'vitest';
import { NonRetryableError } from '../jobs/outcomes.ts';
import { createSecretBox, type SecretBox } from './secret-box.ts';

const secret = 'gho_canary_🐙';
const key = (fill: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(fill);
const context = { userId: '0199aaaa-0000-7000-8000-000000000001', purpose: 'github' };

async function refusal(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(NonRetryableError);
  return error as Error;
}

describe('a secret box', () => {
  it('opens what it sealed, and seals each time anew', async () => {
    const box = createSecretBox([key(1)]);
    const [one, other] = [await box.seal(secret, context), await box.seal(secret, context)];
    expect(one.sealed).not.toBe(other.sealed);
    expect(one.sealed).toMatch(new RegExp(`^v1\\.${one.keyId}\\.`));
    for (const { sealed } of [one, other]) {
      expect(sealed).not.toContain('canary');
      expect(await box.open(sealed, context)).toEqual({ secret, isOld: false });
    }
  });

  it('opens for no other user and no other purpose', async () => {
    const box = createSecretBox([key(1)]);
    const { sealed } = await box.seal(secret, context);
    for (const other of [
      { ...context, userId: '0199aaaa-0000-7000-8000-000000000002' },
      { ...context, purpose: 'openai' },
    ])
      expect((await refusal(box.open(sealed, other))).message).toContain('another user or purpose');
  });

  it('notices a change of any character', async () => {
    const box = createSecretBox([key(1)]);
    const { sealed } = await box.seal(secret, context);
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
      // The last character may carry bits that are not part of any byte.
      if (index < sealed.length - 1) await refusal(box.open(changed, context));
    }
  });

  it('opens with a replaced key, and says that it is old', async () => {
    const { sealed } = await createSecretBox([key(1)]).seal(secret, context);
    const rotated = createSecretBox([key(2), key(1)]);
    expect(await rotated.open(sealed, context)).toEqual({ secret, isOld: true });
    const again = await rotated.seal(secret, context);
    expect(await createSecretBox([key(2)]).open(again.sealed, context)).toEqual({ secret, isOld: false });
    expect((await refusal(createSecretBox([key(2)]).open(sealed, context))).message).toContain(
      'which GITHUB_TOKEN_ENCRYPTION_KEY does not hold',
    );
  });

  it('without a key names the variable', async () => {
    const none: SecretBox = createSecretBox([]);
    for (const work of [none.seal(secret, context), none.open('v1.x', context)])
      expect((await refusal(work)).message).toContain('GITHUB_TOKEN_ENCRYPTION_KEY');
  });

  it('never tells the secret or the sealed text in an error', async () => {
    const box = createSecretBox([key(1)]);
    const { sealed } = await box.seal(secret, context);
    const bodies = [sealed.replace('v1', 'v2'), `${sealed}AAAA`, 'plain gho_canary', 'v1.00000000.aaaa', ''];
    for (const body of bodies) {
      const { message, cause } = await refusal(box.open(body, context));
      expect(`${message}${String(cause)}`).not.toContain('canary');
      expect(message).not.toContain(sealed.split('.')[3]);
    }
  });
});
