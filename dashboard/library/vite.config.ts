import react from '@vitejs/plugin-react';
import { join } from 'node:path';
import { defineConfig, esmExternalRequirePlugin, type UserConfig } from 'vite';
import { declarations } from './declarations.ts';

const root = join(import.meta.dirname, '..');
const entry = join(root, 'src/job-monitor.tsx');

/**
 * `JobMonitor` for other applications, built into `dashboard/dist-library`: one module with parts that are loaded when
 * they are asked for, and one style sheet. Only React comes from the application, so that there is one of it.
 */
export default defineConfig((): UserConfig => {
  process.env['NODE_ENV'] = 'production';
  return {
    root,
    publicDir: false,
    plugins: [
      react(),
      // CommonJS inside gets React by import, too: browsers have no `require`.
      esmExternalRequirePlugin({ external: [/^react(-dom)?(\/|$)/] }),
      declarations(entry),
    ],
    // Else the libraries inside would ask for a global that browsers do not have.
    define: { 'process.env.NODE_ENV': JSON.stringify('production') },
    build: {
      target: 'es2023',
      outDir: 'dist-library',
      emptyOutDir: true,
      license: { fileName: 'licenses.md' },
      lib: {
        entry,
        formats: ['es'],
        fileName: 'job-monitor',
        cssFileName: 'job-monitor',
      },
      rolldownOptions: {
        // Server components may import it.
        output: { banner: "'use client';", chunkFileNames: 'parts/[name]-[hash].js' },
      },
    },
  };
});
