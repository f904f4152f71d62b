import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { listen } from '../../local/listen.ts';

export interface ManagementApi {
  url: string;
  /** The files of each deploy, from the root of the repository, by function. */
  uploads: ReadonlyMap<string, readonly string[]>;
  close(): Promise<void>;
}

/** As much of Supabase's Management API as a deploy of functions asks for. */
export async function startManagementApi(): Promise<ManagementApi> {
  const uploads = new Map<string, string[]>();
  const app = new Hono();
  app.get('/v1/projects/:ref/functions', (c) => c.json([]));
  app.post('/v1/projects/:ref/functions/deploy', async (c) => {
    const slug = c.req.query('slug') ?? '';
    const form = await c.req.raw.formData();
    uploads.set(
      slug,
      form.getAll('file').flatMap((file) => (file instanceof File ? [file.name] : [])),
    );
    return c.json({ ...aFunction, slug, name: slug }, 201);
  });
  app.put('/v1/projects/:ref/functions', (c) => c.json({ functions: [] }));
  return { ...(await listen(createAdaptorServer({ fetch: app.fetch }))), uploads };
}

const aFunction = {
  id: '11111111-1111-4111-8111-111111111111',
  status: 'ACTIVE',
  version: 1,
  created_at: 0,
  updated_at: 0,
};
