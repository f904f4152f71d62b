import { describe, expect, it } from 'vitest';
import { createEdgeLogger } from './edge-logger.ts';
import type { Logger } from './logger.ts';
import { createNodeLogger } from './node-logger.ts';

type Line = Record<string, unknown>;

const build: Record<string, (level: 'debug' | 'info', lines: string[]) => Logger> = {
  'the Node logger': (level, lines) =>
    createNodeLogger({ level, destination: { write: (line: string) => void lines.push(line) } }),
  'the edge logger': (level, lines) => createEdgeLogger({ level, write: (line) => void lines.push(line) }),
};

describe.each(Object.keys(build))('%s', (name) => {
  const record = (work: (log: Logger) => void, level: 'debug' | 'info' = 'info'): Line[] => {
    const lines: string[] = [];
    work(build[name]!(level, lines));
    return lines.map((line) => JSON.parse(line) as Line);
  };

  it('writes one JSON line with level, time, fields and message', () => {
    const [line] = record((log) => log.info({ jobId: 'j1', count: 3 }, 'claimed'));
    expect(line).toMatchObject({ level: 'info', jobId: 'j1', count: 3, msg: 'claimed' });
    expect(Number.isNaN(Date.parse(String(line?.['time'])))).toBe(false);
  });

  it('drops what is below its level', () => {
    expect(record((log) => log.debug({}, 'detail'))).toEqual([]);
    expect(record((log) => log.debug({}, 'detail'), 'debug')).toHaveLength(1);
  });

  it('keeps the bindings of a child', () => {
    const [line] = record((log) => log.child({ type: 'system/ping' }).warn({ attempt: 2 }, 'slow'));
    expect(line).toMatchObject({ level: 'warn', type: 'system/ping', attempt: 2, msg: 'slow' });
  });

  it('says what an error was and what caused it', () => {
    const error = new Error('outer', { cause: new TypeError('inner') });
    const [line] = record((log) => log.error({ err: error }, 'failed'));
    expect(line).toMatchObject({
      err: { name: 'Error', message: 'outer', cause: { name: 'TypeError', message: 'inner' } },
    });
    expect(JSON.stringify(line)).toContain('loggers.test.ts');
  });

  it('shows no key, whatever it is called and wherever it stands', () => {
    const lines = record((log) => {
      log.info(
        {
          apiKey: 'plain-one',
          headers: { Authorization: 'Bearer plain-two' },
          nested: { deep: [{ secretKey: 'plain-three' }] },
          url: 'postgres://postgres:plain-four@db/postgres',
          err: new Error('refused for sb_secret_plainfive'),
        },
        'token ghp_plainsix and signkey-prod-plainseven',
      );
      log.child({ githubToken: 'plain-eight' }).info({}, 'Bearer plain-nine');
    });
    expect(JSON.stringify(lines)).not.toMatch(/plain/);
    expect(lines).toHaveLength(2);
  });

  it.each([
    ['a line break', '\n'],
    ['a tab', '\t'],
    ['a colour', '\u001b[31m'],
    ['percent encoding', 'url%3D'],
    ['an underscore', 'key_'],
  ])('shows no key that stands right after %s', (_what, before) => {
    const keys = [
      'sb_secret_plain-one',
      'ghp_plain2',
      'signkey-prod-plain3',
      'sk-plain-four-0123456789',
      'eyJplain.five.six',
      'Bearer plain-seven',
      'Bearer\nplain-eight',
    ];
    const lines = record((log) => {
      for (const key of keys) log.info({ text: before + key, err: new Error(before + key) }, before + key);
    });
    expect(JSON.stringify(lines)).not.toMatch(/plain/);
    expect(lines).toHaveLength(keys.length);
  });

  it('leaves names that only resemble a key', () => {
    const [line] = record((log) =>
      log.info({ idempotencyKey: 'task-0123456789abcdefghij', tokenName: 'GITHUB_TOKEN' }, 'laughs_out'),
    );
    expect(line).toMatchObject({
      idempotencyKey: 'task-0123456789abcdefghij',
      tokenName: 'GITHUB_TOKEN',
      msg: 'laughs_out',
    });
  });
});
