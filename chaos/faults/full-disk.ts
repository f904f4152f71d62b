import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '../fault.ts';

const fullMs = 6_000;
const portion = Buffer.alloc(1_048_576);

export const fullDisk: Fault = {
  name: 'full-disk',
  what: `the database's disk is full for ${fullMs / 1000} s; then there is room again, and a server that gave up is started`,
  strikes: { full: 3, quick: 0 },
  needs: 'small disk',
  recoversFrom: 'mended',
  async strike({ dataDir, server, proxy }) {
    const ballast = join(dataDir, '..', 'ballast');
    await fill(ballast);
    await sleep(fullMs);
    await rm(ballast);
    await server.revive();
    proxy.target(server.port());
  },
};

async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (;;) await file.write(portion);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
  } finally {
    await file.close();
  }
}
