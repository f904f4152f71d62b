import { Hono } from 'hono';
import { z } from 'zod';
import type { FaultControl, RepeatedFault } from './fault-control.ts';
import type { RequestLog } from './request-log.ts';

/** Lets another process order faults and read what was asked, under `/_stand-in/`. */
export function createControlSurface<Fault extends RepeatedFault>(
  faultSchema: z.ZodType<Fault>,
  faults: FaultControl<Fault>,
  log: RequestLog<unknown>,
): Hono {
  const orderSchema = oneOrMore(faultSchema);
  const routes = new Hono().basePath('/_stand-in');
  routes.post('/faults', async (context) => {
    const order = orderSchema.safeParse(await readJson(context.req.raw));
    if (!order.success) return context.json({ message: z.prettifyError(order.error) }, 400);
    faults.add(...order.data);
    return context.json({ added: order.data.length }, 201);
  });
  routes.delete('/faults', (context) => {
    faults.clear();
    return context.body(null, 204);
  });
  routes.get('/requests', (context) => context.json(log.requests));
  return routes;
}

/** One fault, or a list of them. */
function oneOrMore<Fault>(fault: z.ZodType<Fault>): z.ZodType<Fault[]> {
  return z.preprocess((order) => (Array.isArray(order) ? (order as unknown[]) : [order]), z.array(fault));
}

/** Undefined, which no schema accepts, when the body is not JSON. */
async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
