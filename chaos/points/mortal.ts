import type { Point, Role } from './point.ts';

/** How often a process asks whether it is to die, in milliseconds. */
const askMs = 100;

/** A process that dies where it was told to. */
export interface Mortal {
  /** Makes a call, and does not return from it when the process is to die before or after it. */
  pass<Answer>(name: string, call: () => Promise<Answer>): Promise<Answer>;
}

/**
 * Asks the controller for a point, now and then, and has itself killed there: it sends its process id and waits for
 * SIGKILL, so that no code of its own runs any more.
 * @param controller - URL
 */
export function createMortal(options: {
  controller: string;
  role: Role;
  pid: number;
  fetch: typeof fetch;
}): Mortal {
  const { controller, role, pid, fetch } = options;
  let point: Point | null = null;
  let left = 0;

  async function ask(): Promise<void> {
    const answer = await fetch(`${controller}/point/${role}`);
    point = (await answer.json()) as Point | null;
    left = point?.nth ?? 0;
  }

  async function die(): Promise<never> {
    await fetch(`${controller}/die/${pid}`, { method: 'POST' });
    return await new Promise<never>(() => undefined);
  }

  // The controller may be busy, or gone with the whole matrix.
  setInterval(() => void (point ?? ask().catch(() => undefined)), askMs);

  return {
    async pass(name, call) {
      if (point?.call !== name) return await call();
      left -= 1;
      if (left > 0) return await call();
      if (point.when === 'before') return await die();
      await call();
      return await die();
    },
  };
}
