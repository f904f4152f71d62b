import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { listen } from '../../src/local/listen.ts';
import type { Point, Role } from '../points/point.ts';
import { signal } from './signal.ts';

/** Tells processes where to die, and kills them there. */
export interface Controller {
  url: string;
  /** The next process of the role that asks dies at the point. Resolves with its process id when it is dead. */
  arm(role: Role, point: Point): Promise<number>;
  /** Nobody is to die any more. */
  disarm(): void;
  close(): Promise<void>;
}

export async function startController(): Promise<Controller> {
  const points = new Map<string, Point>();
  let onDeath: (pid: number) => void = () => undefined;
  const app = new Hono();
  app.get('/point/:role', (c) => {
    const role = c.req.param('role');
    const point = points.get(role) ?? null;
    points.delete(role);
    return c.json(point);
  });
  app.post('/die/:pid', (c) => {
    const pid = Number(c.req.param('pid'));
    signal(pid, 'SIGKILL');
    onDeath(pid);
    return c.body(null, 204);
  });
  const server = await listen(createAdaptorServer({ fetch: app.fetch }));
  return {
    ...server,
    async arm(role, point) {
      points.set(role, point);
      return await new Promise<number>((resolve) => (onDeath = resolve));
    },
    disarm: () => points.clear(),
  };
}
