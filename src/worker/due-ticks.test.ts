import { describe, expect, it } from 'vitest';
import { type CatchUp, dueTicks, mostTicks } from './due-ticks.ts';

/** The ticks between two times, as ISO minutes. */
function ticks(
  cron: string,
  seen: string,
  now: string,
  catchUp: CatchUp = 'all',
  timezone = 'UTC',
): string[] {
  const due = dueTicks({ cron, timezone, catchUp, seen: new Date(seen), now: new Date(now) });
  return due.ticks.map((tick) => tick.toISOString().slice(0, 16));
}

describe('a tick', () => {
  it('is due from its minute on, once', () => {
    expect(ticks('17 * * * *', '2026-11-22T03:16:30Z', '2026-11-22T03:16:59.999Z')).toEqual([]);
    expect(ticks('17 * * * *', '2026-11-22T03:16:30Z', '2026-11-22T03:17:00Z')).toEqual(['2026-11-22T03:17']);
    expect(ticks('17 * * * *', '2026-11-22T03:17:00Z', '2026-11-22T03:18:00Z')).toEqual([]);
  });

  it('is on the clock of its timezone', () => {
    const day = ['2026-11-22T00:00Z', '2026-11-23T00:00Z'] as const;
    expect(ticks('0 9 * * *', ...day, 'all', 'America/New_York')).toEqual(['2026-11-22T14:00']);
    expect(ticks('0 9 * * *', ...day, 'all', 'Asia/Kolkata')).toEqual(['2026-11-22T03:30']);
  });

  it.each([
    ['0 0 31 2 *', 'UTC', 'cron: expected five fields that name a time which comes, got "0 0 31 2 *"'],
    ['@daily', 'UTC', 'cron: expected five fields that name a time which comes, got "@daily"'],
    ['0 0 * * *', 'Mars/Olympus', 'timezone: expected a name such as Europe/Berlin, got "Mars/Olympus"'],
    ['0 0 * * *', '', 'timezone: expected a name such as Europe/Berlin, got ""'],
  ])('of %s in "%s" never comes: the caller is told', (cron, timezone, message) => {
    expect(() => ticks(cron, '2026-11-22T00:00Z', '2026-11-23T00:00Z', 'all', timezone)).toThrow(message);
  });
});

describe('when the clocks are put forward', () => {
  const night = ['2026-03-28T23:30Z', '2026-03-29T03:30Z'] as const;

  it('a time that does not exist comes at the change', () => {
    expect(ticks('30 2 * * *', ...night, 'all', 'Europe/Berlin')).toEqual(['2026-03-29T01:00']);
  });

  it('an hourly tick comes every hour', () => {
    expect(ticks('0 * * * *', ...night, 'all', 'Europe/Berlin')).toEqual([
      '2026-03-29T00:00',
      '2026-03-29T01:00',
      '2026-03-29T02:00',
      '2026-03-29T03:00',
    ]);
  });
});

describe('when the clocks are put back', () => {
  const night = ['2026-10-24T23:30Z', '2026-10-25T02:30Z'] as const;

  it('a time that comes twice counts once', () => {
    expect(ticks('30 2 * * *', ...night, 'all', 'Europe/Berlin')).toEqual(['2026-10-25T00:30']);
  });

  it('an hourly tick comes every hour', () => {
    expect(ticks('0 * * * *', ...night, 'all', 'Europe/Berlin')).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
    ]);
  });

  it('nothing comes twice when every minute is looked at', () => {
    const met: string[] = [];
    const minutes = Array.from({ length: 240 }, (_, n) => new Date(Date.parse(night[0]) + n * 60_000));
    for (const [n, minute] of minutes.slice(1).entries())
      met.push(
        ...ticks('30 2 * * *', minutes[n]!.toISOString(), minute.toISOString(), 'none', 'Europe/Berlin'),
      );
    expect(met).toEqual(['2026-10-25T00:30']);
  });
});

describe('of missed ticks', () => {
  const away = ['2026-11-22T00:30Z', '2026-11-22T05:30Z'] as const;

  it('none counts where nothing is caught up', () => {
    expect(ticks('0 * * * *', ...away, 'none')).toEqual([]);
  });

  it('the newest counts where the last is caught up', () => {
    expect(ticks('0 * * * *', ...away, 'last')).toEqual(['2026-11-22T05:00']);
  });

  it('all count where all are caught up, oldest first', () => {
    expect(ticks('0 * * * *', ...away, 'all')).toHaveLength(5);
    expect(ticks('0 * * * *', ...away, 'all')[0]).toBe('2026-11-22T01:00');
  });

  it.each(['none', 'last'] as const)('those of the last two minutes were not missed (%s)', (catchUp) => {
    expect(ticks('* * * * *', '2026-11-22T00:30:10Z', '2026-11-22T05:30:20Z', catchUp)).toEqual([
      '2026-11-22T05:29',
      '2026-11-22T05:30',
    ]);
  });

  it('at most 100 count, the newest ones, and the others are not kept secret', () => {
    const now = new Date('2026-11-22T05:30:20Z');
    const question = { cron: '* * * * *', timezone: 'UTC', seen: new Date('2025-01-01T00:00Z'), now };
    const due = dueTicks({ ...question, catchUp: 'all' });
    expect(due.ticks).toHaveLength(mostTicks);
    expect(due.ticks.at(-1)).toEqual(new Date('2026-11-22T05:30Z'));
    expect(due.passedOver).toBe(1);
  });
});
