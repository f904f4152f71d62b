import { describe, expect, it } from 'vitest';
import { createEventIds } from './event-ids.ts';

const now = new Date('2026-11-22T00:00:00Z');
/** Ten bytes 0x7a28b660a5d155324fb8, as in the comment on Inngest's own header constant. */
const seed = '1743130137367,eii2YKXRVTJPuA==';

describe('the ids of events that bring none', () => {
  it('are the ULIDs that Inngest makes of the seed header: its time, its entropy plus the position', () => {
    const idOf = createEventIds(seed, now);
    // 1743130137367 ms, then 7a28b660a5d1 5532 4fb8 + 1 and + 5000.
    expect(idOf(1)).toBe('01JQDAE4RQF8MBCR55T5AK4KXS');
    expect(idOf(5000)).toBe('01JQDAE4RQF8MBCR55T5AK4RT0');
  });

  it('carry no further than the last four bytes', () => {
    const idOf = createEventIds(`1,${btoa('\0\0\0\0\0\0\xff\xff\xff\xff')}`, now);
    expect(idOf(1)).toBe('00000000010000000000000000');
  });

  it('are the same for a repeated request, and differ within one', () => {
    const ids = () => [1, 2, 3].map(createEventIds(seed, now));
    expect(ids()).toEqual(ids());
    expect(new Set(ids()).size).toBe(3);
  });

  it.each([
    null,
    '',
    '1743130137367',
    `0,${btoa('0123456789')}`,
    `281474976710656,${btoa('0123456789')}`,
    `1743130137367,${btoa('012345678')}`,
    '1743130137367,=====',
    '1743130137367,A',
  ])('are new ones of this moment where the header is %j', (header) => {
    const idOf = createEventIds(header, now);
    expect(idOf(1)).toMatch(/^01M808TX00[0-9A-HJKMNP-TV-Z]{16}$/);
    expect(idOf(1)).not.toBe(idOf(1));
  });
});
