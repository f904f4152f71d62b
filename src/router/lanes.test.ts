import { describe, expect, it } from 'vitest';
import { DatabaseUnreachableError } from '../database/rpc.ts';
import type { JobDefinition, Lane } from '../jobs/define-job.ts';
import { ping } from '../jobs/system/ping.ts';
import { silentLogger } from '../../tests/support/silent-logger.ts';
import { createLaneOf } from './lanes.ts';

const definition = ping as JobDefinition;

function rig() {
  const state = { overrides: new Map<string, Lane>(), away: false, reads: 0, time: 0 };
  const laneOf = createLaneOf({
    queue: {
      laneOverrides: () => {
        state.reads += 1;
        return state.away
          ? Promise.reject(new DatabaseUnreachableError('away'))
          : Promise.resolve(new Map(state.overrides));
      },
    },
    log: silentLogger,
    now: () => new Date(state.time),
  });
  return { state, laneOf };
}

describe('the lane of a job', () => {
  it("is the definition's own", async () => {
    const { laneOf } = rig();
    expect(await laneOf(definition)).toBe('inline');
  });

  it('follows an override within ten seconds, reading them once in that time', async () => {
    const { state, laneOf } = rig();
    await Promise.all([laneOf(definition), laneOf(definition)]);
    state.overrides.set('system/ping', 'worker');
    state.time = 9_999;
    expect(await laneOf(definition)).toBe('inline');
    expect(state.reads).toBe(1);
    state.time = 10_000;
    expect(await laneOf(definition)).toBe('worker');
  });

  it('stays on the last known override while the database is away, and asks again at once', async () => {
    const { state, laneOf } = rig();
    state.overrides.set('system/ping', 'edge');
    await laneOf(definition);
    state.away = true;
    state.time = 10_000;
    expect(await laneOf(definition)).toBe('edge');
    state.away = false;
    state.overrides.clear();
    expect(await laneOf(definition)).toBe('inline');
  });
});
